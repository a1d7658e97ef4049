#include "agent/config/load_config.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

tl::expected<LoadedConfig, std::vector<ConfigProblem>> with_section(const std::string& section) {
    return parse_config("{agent_id: a, server_address: lab, job_queues: [q], trebuchet:\n" + section + "\n}\n",
                        "a.conf");
}

TrebuchetConfig read(const std::string& section) {
    auto loaded = with_section(section);
    if (loaded) return loaded->config.trebuchet;
    for (const auto& problem : loaded.error()) ADD_FAILURE() << problem.message();
    return {};
}

std::vector<std::string> problems_of(const std::string& section) {
    std::vector<std::string> texts;
    if (const auto loaded = with_section(section); !loaded) {
        for (const auto& problem : loaded.error()) texts.push_back(problem.message());
    }
    return texts;
}

TEST(TrebuchetSection, HasDefaults) {
    for (const char* section : {"{}", "~", ""}) {
        const auto config = read(section);
        EXPECT_EQ(config.mask.min_length, 3U);
        EXPECT_EQ(config.mask.hash, MaskHash::keyed);
        EXPECT_EQ(config.job_file_secrets, JobFileSecrets::tmpfs);
        EXPECT_THAT(config.secret_phases, ElementsAre("provision", "test"));
        EXPECT_EQ(config.kill_grace, std::chrono::seconds(10));
        EXPECT_EQ(config.min_free_disk, std::uint64_t{256} << 20U);
        EXPECT_EQ(config.spool.limit, std::uint64_t{1} << 30U);
        EXPECT_EQ(config.spool.when_full, SpoolFull::wait);
        EXPECT_EQ(config.keep_results, std::chrono::hours(7 * 24));
        EXPECT_TRUE(config.tls.ca_file.empty());
        EXPECT_EQ(config.client_id, "");
        EXPECT_EQ(config.drain, Drain::stop);
        EXPECT_EQ(config.artifacts_masking, ArtifactsMasking::mask);
        EXPECT_EQ(config.stop_grace, std::chrono::seconds(5));
        EXPECT_EQ(config.metrics_address, "0.0.0.0");
        EXPECT_THAT(config.mask_credentials_off, IsEmpty());
        EXPECT_THAT(config.allow_secret_names, IsEmpty());
    }
}

TEST(TrebuchetSection, ReadsWhatIsDoneAgainstJobsThatGoWrong) {
    const auto none = read("{}");
    EXPECT_EQ(none.cleanup_failure, CleanupFailure::ignore);
    EXPECT_EQ(none.limits.memory, 0U);
    EXPECT_EQ(none.limits.pids, 0U);
    const auto config = read("{cleanup_failure: offline, limits: {memory: 2147483648, pids: 500}}");
    EXPECT_EQ(config.cleanup_failure, CleanupFailure::offline);
    EXPECT_EQ(config.limits.memory, std::uint64_t{1} << 31U);
    EXPECT_EQ(config.limits.pids, 500U);
    EXPECT_THAT(problems_of("{limits: {memory: 2G}}"),
                ElementsAre("a.conf:2:19: trebuchet.limits.memory: found \"2G\", expected a whole number from 0 to "
                            "1125899906842624"));
    EXPECT_EQ(problems_of("{limits: {cpu: 2}}").size(), 1U);
    EXPECT_EQ(problems_of("{limits: 5}").size(), 1U);
}

TEST(TrebuchetSection, ReadsTheNamesThatSecretsMayHave) {
    EXPECT_THAT(read("{allow_secret_names: [PYTHONPATH, LD_PRELOAD]}").allow_secret_names,
                ElementsAre("PYTHONPATH", "LD_PRELOAD"));
    EXPECT_EQ(problems_of("{allow_secret_names: PYTHONPATH}").size(), 1U);
    EXPECT_THAT(problems_of("{allow_secret_names: ['LD_*']}"),
                ElementsAre("a.conf:2:23: trebuchet.allow_secret_names: found \"LD_*\", expected the name of a "
                            "variable, such as PYTHONPATH"));
}

TEST(TrebuchetSection, ReadsWhatBecomesOfArtifacts) {
    EXPECT_EQ(read("{artifacts_masking: mask}").artifacts_masking, ArtifactsMasking::mask);
    EXPECT_EQ(read("{artifacts_masking: withhold}").artifacts_masking, ArtifactsMasking::withhold);
    EXPECT_EQ(read("{artifacts_masking: fail}").artifacts_masking, ArtifactsMasking::fail);
    EXPECT_EQ(read("{artifacts_masking: 'off'}").artifacts_masking, ArtifactsMasking::off);
    EXPECT_EQ(read("{artifacts_masking: off}").artifacts_masking, ArtifactsMasking::off);
    EXPECT_THAT(
        problems_of("{artifacts_masking: withold}"),
        ElementsAre("a.conf:2:21: trebuchet.artifacts_masking: found \"withold\", expected mask, withhold, fail "
                    "or off; did you mean withhold?"));
    EXPECT_THAT(problems_of("{artifact_masking: mask}"),
                ElementsAre("a.conf:2:2: unknown key \"trebuchet.artifact_masking\", did you mean "
                            "\"trebuchet.artifacts_masking\"?"));
}

TEST(TrebuchetSection, RefusesASpoolThatHoldsNothing) {
    EXPECT_EQ(problems_of("{spool_limit: 1000}").size(), 1U);
    EXPECT_EQ(problems_of("{spool_full: drop}").size(), 1U);
    EXPECT_EQ(problems_of("{keep_results: -1}").size(), 1U);
}

TEST(TrebuchetSection, ReadsEachKey) {
    const auto config = read(
        "{tls: {ca_file: /etc/ca.pem, client_cert: /etc/c.pem, client_key: /etc/k.pem}, mask_min_length: 1,"
        " mask_hash: sha256, job_file_secrets: none, secret_phases: [test, cleanup], kill_grace: 0.5, min_free_disk: 0,"
        " spool_limit: 1048576, spool_full: cut, keep_results: 0, token_lifetime: 90,"
        " client_id: lab, secret_key_file: /etc/key, drain: finish, stop_grace: 90, metrics_address: '::1'}");
    EXPECT_EQ(config.tls.ca_file, "/etc/ca.pem");
    EXPECT_EQ(config.tls.client_cert, "/etc/c.pem");
    EXPECT_EQ(config.tls.client_key, "/etc/k.pem");
    EXPECT_EQ(config.mask.min_length, 1U);
    EXPECT_EQ(config.mask.hash, MaskHash::sha256);
    EXPECT_EQ(config.job_file_secrets, JobFileSecrets::none);
    EXPECT_THAT(config.secret_phases, ElementsAre("test", "cleanup"));
    EXPECT_EQ(config.kill_grace, std::chrono::milliseconds(500));
    EXPECT_EQ(config.min_free_disk, 0U);
    EXPECT_EQ(config.spool.limit, std::uint64_t{1} << 20U);
    EXPECT_EQ(config.spool.when_full, SpoolFull::cut);
    EXPECT_EQ(config.keep_results, std::chrono::hours(0));
    EXPECT_EQ(config.token_lifetime, std::chrono::hours(90 * 24));
    EXPECT_EQ(config.client_id, "lab");
    EXPECT_EQ(config.secret_key_file, "/etc/key");
    EXPECT_EQ(config.drain, Drain::finish);
    EXPECT_EQ(config.stop_grace, std::chrono::seconds(90));
    EXPECT_EQ(config.metrics_address, "::1");
    EXPECT_THAT(read("{secret_phases: []}").secret_phases, IsEmpty());
    EXPECT_THAT(read("{mask_credentials_off: [jwt, aws]}").mask_credentials_off, ElementsAre("jwt", "aws"));
}

TEST(TrebuchetSection, SaysWhatIsWrongWithEachKey) {
    EXPECT_THAT(
        problems_of("{tls: {ca_file: ca.pem, cert: /x},\n"
                    "mask_min_length: 0,\n"
                    "mask_hash: sha-256,\n"
                    "job_file_secrets: non,\n"
                    "secret_phases: [provison, 7, [test], sleep],\n"
                    "kill_grace: 10s,\n"
                    "\"\\e[1m\": x}"),
        ElementsAre(
            "a.conf:2:17: trebuchet.tls.ca_file: found \"ca.pem\", expected an absolute path",
            "a.conf:2:25: unknown key \"trebuchet.tls.cert\"",
            "a.conf:3:18: trebuchet.mask_min_length: found the number 0, expected a whole number from 1 to 64",
            "a.conf:4:12: trebuchet.mask_hash: found \"sha-256\", expected keyed or sha256; did you mean sha256?",
            "a.conf:5:19: trebuchet.job_file_secrets: found \"non\", expected tmpfs or none; did you mean none?",
            "a.conf:6:17: trebuchet.secret_phases: found \"provison\", expected setup, provision, firmware_update, "
            "test, allocate, reserve or cleanup; did you mean provision?",
            "a.conf:6:27: trebuchet.secret_phases: found the number 7, expected setup, provision, firmware_update, "
            "test, allocate, reserve or cleanup",
            "a.conf:6:30: trebuchet.secret_phases: found a list, expected setup, provision, firmware_update, "
            "test, allocate, reserve or cleanup",
            "a.conf:6:38: trebuchet.secret_phases: found \"sleep\", expected setup, provision, firmware_update, "
            "test, allocate, reserve or cleanup",
            "a.conf:7:13: trebuchet.kill_grace: found \"10s\", expected a number of seconds from 0 to 3600",
            "a.conf:8:1: unknown key \"trebuchet.\\x1b[1m\""));
    EXPECT_THAT(
        problems_of("{tls: /etc/ca.pem, secret_phases: test}"),
        ElementsAre("a.conf:2:7: trebuchet.tls: found \"/etc/ca.pem\", expected a map with ca_file, client_cert or "
                    "client_key",
                    "a.conf:2:35: trebuchet.secret_phases: found \"test\", expected a list of phases, such as "
                    "[provision, test]"));
    EXPECT_THAT(problems_of("[mask_hash]"),
                ElementsAre("a.conf:2:1: found a list, expected a map of Trebuchet's own settings"));
}

TEST(TrebuchetSection, SaysWhatIsWrongWithALogin) {
    EXPECT_THAT(
        problems_of("{secret_key_file: /key}"),
        ElementsAre("a.conf: trebuchet.secret_key_file: found no trebuchet.client_id, expected both or neither"));
    EXPECT_THAT(problems_of("{client_id: 'a:b', metrics_address: lab, drain: halt, stop_grace: -1}"),
                ElementsAre("a.conf:2:13: trebuchet.client_id: found \"a:b\", expected a name without colons, as "
                            "HTTP logins need it",
                            "a.conf:2:37: trebuchet.metrics_address: found \"lab\", expected an IP address such as "
                            "127.0.0.1, or 0.0.0.0 for all",
                            "a.conf:2:49: trebuchet.drain: found \"halt\", expected stop or finish",
                            "a.conf:2:67: trebuchet.stop_grace: found the number -1, expected a number of seconds "
                            "from 0 to 3600"));
}

TEST(TrebuchetSection, KnowsTheKindsOfCredentials) {
    EXPECT_THAT(problems_of("{mask_credentials_off: [jvt]}"),
                ElementsAre("a.conf:2:25: trebuchet.mask_credentials_off: found \"jvt\", expected private_key, "
                            "url_password, authorization, aws, github, gitlab, slack, vault, jwt, registry, cloud, ai, "
                            "payment or monitoring; did you mean jwt?"));
    EXPECT_THAT(problems_of("{mask_credentials_off: jwt}"),
                ElementsAre("a.conf:2:24: trebuchet.mask_credentials_off: found \"jwt\", expected a list of kinds, "
                            "such as [jwt, aws]"));
}

TEST(TrebuchetSection, DoesNotQuoteWhatMayBeAKeyInPlaceOfItsFile) {
    EXPECT_THAT(problems_of("{client_id: lab, secret_key_file: hunter22}"),
                ElementsAre("a.conf:2:35: trebuchet.secret_key_file: found something else, expected an absolute path "
                            "of a file"));
}

TEST(TrebuchetSection, WantsBothOfCertificateAndKey) {
    EXPECT_THAT(
        problems_of("{tls: {client_cert: /c.pem}}"),
        ElementsAre("a.conf: trebuchet.tls: found only client_cert, expected client_cert and client_key, or neither"));
    EXPECT_THAT(
        problems_of("{tls: {client_key: /k.pem}}"),
        ElementsAre("a.conf: trebuchet.tls: found only client_key, expected client_cert and client_key, or neither"));
}

}  // namespace
}  // namespace trebuchet
