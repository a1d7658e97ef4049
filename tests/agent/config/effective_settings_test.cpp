#include "agent/config/effective_settings.hpp"

#include "agent/config/environment_settings.hpp"
#include "agent/config/load_config.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

const std::string minimal = "agent_id: rpi4-1\nserver_address: https://lab.example.com\njob_queues: [rpi4, 'b c']\n";

LoadedConfig parsed(const std::string& text) {
    auto loaded = parse_config(text, "a.conf");
    if (loaded) return std::move(*loaded);
    for (const auto& problem : loaded.error()) ADD_FAILURE() << problem.message();
    return {};
}

/// "VALUE (SOURCE)" of the key, or "".
std::string shown(const LoadedConfig& loaded, const std::string& key) {
    for (const auto& setting : loaded.settings.all()) {
        if (setting.key == key) return setting.value + " (" + setting.source + ")";
    }
    return "";
}

using Variables = std::map<std::string, std::string>;

LoadedConfig with_environment(const std::string& text, const Variables& variables) {
    auto loaded = parsed(text);
    read_environment(
        [&](const char* name) {
            const auto found = variables.find(name);
            return found == variables.end() ? nullptr : found->second.c_str();
        },
        loaded);
    return loaded;
}

TEST(EffectiveSettings, HaveAValueForEachKeyThatIsReadWhateverTheFileSays) {
    for (const std::string more : {"", "trebuchet: {}\n", "trebuchet: ~\n", "trebuchet: {tls: {}}\n",
                                   "trebuchet: {drain: finish, tls: {ca_file: /ca.pem}}\nlinks: {a: b}\n"}) {
        const auto settings = parsed(minimal + more).settings;
        EXPECT_EQ(settings.all().size(), 86U) << "a key came or went: also change agent/README.md";
        for (const auto& setting : settings.all()) {
            EXPECT_TRUE(setting.is_value_known) << setting.key;
            EXPECT_NE(setting.value, "") << setting.key;
        }
    }
}

TEST(EffectiveSettings, OfVaultComeFromItsVariablesIfAGrantNeedsThem) {
    const std::string grant =
        "trebuchet: {secrets: {grants: [{name: g, allow: {client_id: a}, env: {A: 'vault:secret/a#b'}}]}}\n";
    const Variables variables{{"VAULT_ADDR", "https://vault:8200/"},
                              {"VAULT_CAPATH", "/certs"},
                              {"VAULT_NAMESPACE", "of-vault"},
                              {"BAO_NAMESPACE", "of-bao"},
                              {"VAULT_TLS_SERVER_NAME", "vault.lab"},
                              {"BAO_TLS_SERVER_NAME", ""},
                              {"VAULT_MAX_RETRIES", "5"},
                              {"VAULT_CLIENT_TIMEOUT", "7s"},
                              {"VAULT_SKIP_VERIFY", "true"}};
    const auto loaded = with_environment(minimal + grant, variables);
    const std::string key = "trebuchet.secrets.vault.";
    EXPECT_EQ(shown(loaded, key + "address"), "https://vault:8200 (environment variable VAULT_ADDR)");
    EXPECT_EQ(loaded.config.trebuchet.secrets.vault.address, "https://vault:8200");
    EXPECT_EQ(shown(loaded, key + "ca_file"), "/certs (environment variable VAULT_CAPATH)");
    EXPECT_EQ(shown(loaded, key + "namespace"), "of-bao (environment variable BAO_NAMESPACE)");
    EXPECT_EQ(loaded.config.trebuchet.secrets.vault.server_name, "") << "BAO_ wins even when it is empty";
    EXPECT_EQ(loaded.config.trebuchet.secrets.vault.max_retries, 5);
    EXPECT_EQ(loaded.config.trebuchet.secrets.vault.timeout, std::chrono::seconds(7));
    EXPECT_EQ(loaded.warnings.size(), 2U) << "skip_verify, and a login without a key";

    const auto without = with_environment(minimal, variables);
    EXPECT_EQ(without.config.trebuchet.secrets.vault.address, "");
    EXPECT_EQ(without.config.trebuchet.secrets.vault.max_retries, 2);
    EXPECT_TRUE(without.warnings.empty());
}

TEST(EffectiveSettings, TakeNoAddressOfVaultToWhichSecretsTravelInClearText) {
    const std::string grant =
        "trebuchet: {secrets: {grants: [{name: g, allow: {client_id: a}, env: {A: 'vault:secret/a#b'}}]}}\n";
    for (const auto* address :
         {"http://vault.lab:8200", "http://localhost.example.com", "https://vault/path", "vault"}) {
        const auto loaded = with_environment(minimal + grant, {{"VAULT_ADDR", address}});
        EXPECT_EQ(loaded.config.trebuchet.secrets.vault.address, "") << address;
    }
    const auto loopback = with_environment(minimal + grant, {{"VAULT_ADDR", "http://127.0.0.1:8200"}});
    EXPECT_EQ(loopback.config.trebuchet.secrets.vault.address, "http://127.0.0.1:8200");
}

TEST(EffectiveSettings, SayWhichLineAValueComesFrom) {
    const auto loaded = parsed(minimal +
                               "polling_interval:\n  3\ntrebuchet:\n  kill_grace: 2.5\n  tls:\n"
                               "    ca_file: /lab/ca.pem\n");
    EXPECT_EQ(shown(loaded, "agent_id"), "rpi4-1 (a.conf:1)");
    EXPECT_EQ(shown(loaded, "job_queues"), "[rpi4, b c] (a.conf:3)");
    EXPECT_EQ(shown(loaded, "polling_interval"), "3 (a.conf:4)");
    EXPECT_EQ(shown(loaded, "trebuchet.kill_grace"), "2.500 (a.conf:7)");
    EXPECT_EQ(shown(loaded, "trebuchet.tls.ca_file"), "/lab/ca.pem (a.conf:9)");
}

TEST(EffectiveSettings, PutTheFoldersOfAServiceBelowItsStateFolder) {
    const auto loaded =
        with_environment(minimal + "results_basedir: /srv/results\n", {{"STATE_DIRECTORY", "/srv/rpi4"}});
    EXPECT_EQ(shown(loaded, "execution_basedir"), "/srv/rpi4/run (environment variable STATE_DIRECTORY)");
    EXPECT_EQ(loaded.config.execution_basedir, "/srv/rpi4/run");
    EXPECT_EQ(loaded.config.exported.at("execution_basedir"), "/srv/rpi4/run");
    EXPECT_EQ(loaded.config.logging_basedir, "/srv/rpi4/logs");
    EXPECT_EQ(shown(loaded, "results_basedir"), "/srv/results (a.conf:4)");
}

TEST(EffectiveSettings, SayWhatIsADefault) {
    const auto loaded = parsed(minimal);
    EXPECT_EQ(shown(loaded, "polling_interval"), "10 (default)");
    EXPECT_EQ(shown(loaded, "setup_command"), "\"\" (default)");
    EXPECT_EQ(shown(loaded, "execution_basedir"), "/tmp/testflinger/run (default)");
    EXPECT_EQ(shown(loaded, "trebuchet.secret_phases"), "[provision, test] (default)");
    EXPECT_EQ(shown(loaded, "trebuchet.drain"), "stop (default)");
    EXPECT_EQ(shown(loaded, "trebuchet.keep_results"), "7 (default)");
    EXPECT_EQ(shown(loaded, "trebuchet.tls.ca_file"), "\"\" (default)");
}

TEST(EffectiveSettings, NameTheFileThatWins) {
    const TemporaryFolder folder;
    const auto main = folder.write("agent.conf", minimal + "trebuchet:\n  mask_min_length: 7\n").string();
    const auto beside = folder.write("trebuchet.yaml", "mask_min_length: 5\nmask_hash: sha256\n").string();
    const auto loaded = load_config(main);
    ASSERT_TRUE(loaded);
    EXPECT_EQ(shown(*loaded, "trebuchet.mask_min_length"), "7 (" + main + ":5)");
    EXPECT_EQ(shown(*loaded, "trebuchet.mask_hash"), "sha256 (" + beside + ":2)");
}

TEST(EffectiveSettings, StayOnOneLine) {
    const auto loaded = parsed(minimal +
                               "setup_command: |\n  echo a\n  echo \"b\"\nadvertised_queues: {q: 'a text'}\n"
                               "advertised_images: {q: {jammy: 'url: http://lab/jammy'}}\n");
    EXPECT_EQ(shown(loaded, "setup_command"), R"("echo a\x0aecho \"b\"\x0a" (a.conf:4))");
    EXPECT_EQ(shown(loaded, "advertised_queues"), "{q: a text} (a.conf:7)");
    EXPECT_EQ(shown(loaded, "advertised_images"), "{q: {jammy: url: http://lab/jammy}} (a.conf:8)");
}

TEST(EffectiveSettings, ShowNoValueOfAKeyThatNobodyKnows) {
    const auto loaded = parsed(minimal + "lab_password: hunter22\nodd: 7\n");
    EXPECT_EQ(shown(loaded, "lab_password"), "(not shown; phases get it as an environment variable) (a.conf:4)");
    EXPECT_EQ(shown(loaded, "odd"), "");
}

TEST(EnvironmentSettings, TakeTheServersAuthorityFromTheVariableOfTheReferenceAgent) {
    const auto loaded = with_environment(minimal, {{"REQUESTS_CA_BUNDLE", "/lab/ca.pem"}});
    EXPECT_EQ(loaded.config.trebuchet.tls.ca_file, "/lab/ca.pem");
    EXPECT_EQ(shown(loaded, "trebuchet.tls.ca_file"), "/lab/ca.pem (environment variable REQUESTS_CA_BUNDLE)");
}

TEST(EnvironmentSettings, LetTheFileWin) {
    const auto loaded =
        with_environment(minimal + "trebuchet: {tls: {ca_file: /mine.pem}, client_id: c, secret_key_file: /key}\n",
                         {{"REQUESTS_CA_BUNDLE", "/lab/ca.pem"}, {"CREDENTIALS_DIRECTORY", "/run/credentials"}});
    EXPECT_EQ(shown(loaded, "trebuchet.tls.ca_file"), "/mine.pem (a.conf:4)");
    EXPECT_EQ(shown(loaded, "trebuchet.secret_key_file"), "/key (a.conf:4)");
}

TEST(EnvironmentSettings, TakeTheKeyFromTheServiceManagerIfThereIsAClientToLogInWith) {
    const Variables variables{{"CREDENTIALS_DIRECTORY", "/run/credentials"}};
    const auto with_client = with_environment(minimal + "trebuchet: {client_id: c}\n", variables);
    EXPECT_EQ(shown(with_client, "trebuchet.secret_key_file"),
              "/run/credentials/secret_key (environment variable CREDENTIALS_DIRECTORY)");
    EXPECT_EQ(shown(with_environment(minimal, variables), "trebuchet.secret_key_file"), "\"\" (default)");
}

TEST(EnvironmentSettings, IgnoreAnEmptyVariable) {
    EXPECT_EQ(shown(with_environment(minimal, {{"REQUESTS_CA_BUNDLE", ""}}), "trebuchet.tls.ca_file"),
              "\"\" (default)");
}

}  // namespace
}  // namespace trebuchet
