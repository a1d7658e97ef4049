#include "agent/config/load_config.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

const std::string minimal = "agent_id: rpi4-1\nserver_address: https://lab.example.com\njob_queues: [rpi4]\n";

std::vector<std::string> messages(const std::vector<ConfigProblem>& problems) {
    std::vector<std::string> texts;
    texts.reserve(problems.size());
    for (const auto& problem : problems) texts.push_back(problem.message());
    return texts;
}

std::vector<std::string> problems_of(const std::string& text) {
    const auto loaded = parse_config(text, "a.conf");
    return loaded ? std::vector<std::string>{} : messages(loaded.error());
}

LoadedConfig loaded_from(const std::string& text) {
    auto loaded = parse_config(text, "a.conf");
    if (loaded) return std::move(*loaded);
    for (const auto& message : messages(loaded.error())) ADD_FAILURE() << message;
    return {};
}

TEST(LoadConfig, FillsInTheDefaultsOfTheReferenceAgent) {
    const auto [config, warnings, settings] = loaded_from(minimal);
    EXPECT_THAT(warnings, IsEmpty());
    EXPECT_EQ(config.agent_id, "rpi4-1");
    EXPECT_EQ(config.server_address, "https://lab.example.com");
    EXPECT_THAT(config.job_queues, ElementsAre("rpi4"));
    EXPECT_EQ(config.polling_interval, seconds(10));
    EXPECT_EQ(config.execution_basedir, "/tmp/testflinger/run");
    EXPECT_EQ(config.logging_basedir, "/tmp/testflinger/logs");
    EXPECT_EQ(config.results_basedir, "/tmp/testflinger/results");
    EXPECT_EQ(config.logging_level, "INFO");
    EXPECT_FALSE(config.logging_quiet);
    EXPECT_EQ(config.output_bytes, 10U * 1024 * 1024);
    EXPECT_THAT(config.phase_commands, IsEmpty());
    EXPECT_EQ(config.global_timeout, seconds(14400));
    EXPECT_EQ(config.output_timeout, seconds(900));
}

TEST(LoadConfig, ReadsAFileOfTheReferenceAgentUnchanged) {
    const auto [config, warnings, settings] = loaded_from(
        "agent_id: rpi4-1\n"
        "identifier: 202601-12345\n"
        "location: lab 3\n"
        "polling_interval: 30\n"
        "server_address: testflinger.example.com:8000/\n"
        "execution_basedir: /srv/testflinger/rpi4-1/run\n"
        "logging_basedir: /srv/testflinger/rpi4-1/logs\n"
        "results_basedir: /srv/testflinger/rpi4-1/results\n"
        "logging_level: debug\n"
        "logging_quiet: on\n"
        "job_queues:\n  - rpi4\n  - 202601-12345\n  - 42\n"
        "setup_command: echo setup\n"
        "provision_command: . env/bin/activate && testflinger-device-connector muxpi provision -c default.yaml "
        "testflinger.json\n"
        "test_command: |\n  set -e\n  echo \"test\"\n"
        "reserve_command: ''\n"
        "cleanup_command: echo cleanup\n"
        "provision_type: muxpi\n"
        "global_timeout: 28800\n"
        "output_timeout: 1_800\n"
        "output_bytes: 0x100000\n"
        "advertised_queues:\n  rpi4: any Raspberry Pi 4\n  bare:\n"
        "advertised_images:\n  rpi4:\n    core22: url=http://example.com/core22.img.xz\n"
        "links: {docs: http://example.com}\n"
        "control_host: {name: zapper}\n");
    EXPECT_THAT(messages(warnings), IsEmpty());
    EXPECT_EQ(config.server_address, "http://testflinger.example.com:8000");
    EXPECT_EQ(config.identifier, "202601-12345");
    EXPECT_EQ(config.location, "lab 3");
    EXPECT_EQ(config.polling_interval, seconds(30));
    EXPECT_EQ(config.execution_basedir, "/srv/testflinger/rpi4-1/run");
    EXPECT_EQ(config.logging_level, "DEBUG");
    EXPECT_TRUE(config.logging_quiet);
    EXPECT_THAT(config.job_queues, ElementsAre("rpi4", "202601-12345", "42"));
    EXPECT_EQ(config.phase_commands.size(), 4U);
    EXPECT_EQ(config.phase_commands.at("test"), "set -e\necho \"test\"\n");
    EXPECT_EQ(config.phase_commands.count("reserve"), 0U);
    EXPECT_EQ(config.provision_type, "muxpi");
    EXPECT_EQ(config.global_timeout, seconds(28800));
    EXPECT_EQ(config.output_timeout, seconds(1800));
    EXPECT_EQ(config.output_bytes, 0x100000U);
    EXPECT_THAT(config.advertised_queues, ElementsAre(Pair("bare", ""), Pair("rpi4", "any Raspberry Pi 4")));
    EXPECT_EQ(config.advertised_images.at("rpi4").at("core22"), "url=http://example.com/core22.img.xz");
}

TEST(LoadConfig, ExportsTheStringsOfTheFileAndOfTheDefaults) {
    const auto [config, warnings, settings] = loaded_from(
        "agent_id: 123\nserver_address: lab/\njob_queues: [q]\n"
        "logging_level: debug\ntest_command: run\npolling_interval: 5\n"
        "lab_name: north\nrack: 7\nsince: 2026-11-20\nkeep: yes\nquoted: '7'\nparts: [a]\nempty: ''\n"
        "trebuchet:\n  mask_hash: sha256\n");
    EXPECT_THAT(config.exported,
                UnorderedElementsAre(
                    Pair("agent_id", "123"), Pair("server_address", "lab/"), Pair("logging_level", "debug"),
                    Pair("execution_basedir", "/tmp/testflinger/run"), Pair("logging_basedir", "/tmp/testflinger/logs"),
                    Pair("results_basedir", "/tmp/testflinger/results"), Pair("setup_command", ""),
                    Pair("provision_command", ""), Pair("firmware_update_command", ""), Pair("test_command", "run"),
                    Pair("allocate_command", ""), Pair("reserve_command", ""), Pair("cleanup_command", ""),
                    Pair("lab_name", "north"), Pair("quoted", "7"), Pair("empty", "")));
}

TEST(LoadConfig, WarnsOfKeysThatNobodyKnows) {
    const auto warnings =
        loaded_from(minimal + "polling_intervall: 5\nlab_name: north\nrack: 7\nno=name: x\n").warnings;
    EXPECT_THAT(messages(warnings),
                ElementsAre("a.conf:4:1: unknown key \"polling_intervall\", did you mean \"polling_interval\"?",
                            "a.conf:5:1: unknown key \"lab_name\", only passed to phases as an environment variable",
                            "a.conf:6:1: unknown key \"rack\", ignored: only strings are passed to phases",
                            "a.conf:7:1: the key \"no=name\" is not passed to phases: an environment variable cannot "
                            "have this name or value",
                            "a.conf:7:1: unknown key \"no=name\", ignored: only strings are passed to phases"));
}

TEST(LoadConfig, WarnsOfWhatTheReferenceAgentTakesButDoesNotUse) {
    const auto loaded = loaded_from(
        "agent_id: a\nserver_address: https://lab/api\njob_queues: [q]\nlogging_level: LOUD\nagent_id: b\n");
    EXPECT_THAT(
        messages(loaded.warnings),
        ElementsAre("a.conf:2:17: server_address: found the path \"/api\", which is not used: the API is always "
                    "at /v1",
                    "a.conf:4:16: logging_level: found \"LOUD\", expected DEBUG, INFO, WARNING, ERROR or "
                    "CRITICAL; INFO is used",
                    "a.conf:5:1: found the key \"agent_id\" a second time (first in line 1), expected it once; "
                    "the last one counts"));
    EXPECT_EQ(loaded.config.agent_id, "b");
    EXPECT_EQ(loaded.config.logging_level, "INFO");
    EXPECT_EQ(loaded.config.server_address, "https://lab");
}

TEST(LoadConfig, NamesEveryMissingKey) {
    EXPECT_THAT(
        problems_of("{}"),
        ElementsAre("a.conf: the key \"agent_id\" is missing, expected the name of this agent",
                    "a.conf: the key \"server_address\" is missing, expected the server's address",
                    "a.conf: the key \"job_queues\" is missing, expected a list of the queues to take jobs from"));
    EXPECT_THAT(problems_of("agent_id: a\nserver_adress: lab\njob_queues: [q]\n"),
                ElementsAre("a.conf: the key \"server_address\" is missing, expected the server's address; is it the "
                            "misspelt key \"server_adress\" in line 2?"));
}

TEST(LoadConfig, WantsAMap) {
    EXPECT_THAT(problems_of(""),
                ElementsAre("a.conf: found nothing, expected a map with agent_id, server_address and job_queues"));
    EXPECT_THAT(problems_of("- agent_id\n"),
                ElementsAre("a.conf:1:1: found a list, expected a map with agent_id, server_address and job_queues"));
    EXPECT_THAT(problems_of("agent_id: [\n"), ElementsAre(testing::StartsWith("a.conf:2:1: this is not valid YAML: ")));
}

TEST(LoadConfig, TellsAllProblemsAtOnceInTheirOrder) {
    EXPECT_THAT(
        problems_of("agent_id: a/b\n"
                    "server_address: ftp://lab\n"
                    "job_queues: rpi4\n"
                    "polling_interval: 0\n"
                    "global_timeout: '3600'\n"
                    "output_timeout: -5\n"
                    "output_bytes: 1.5\n"
                    "logging_quiet: 1\n"
                    "execution_basedir: ''\n"
                    "test_command: [echo]\n"
                    "provision_type:\n"
                    "advertised_queues: [q]\n"
                    "advertised_images: {q: {i: {url: x}}, r: x}\n"
                    "trebuchet: {mask_hsah: keyed}\n"),
        ElementsAre(
            "a.conf:1:11: agent_id: found \"a/b\", expected a name without / \\ ? # %",
            "a.conf:2:17: server_address: found \"ftp://lab\", expected an address that starts with http:// or "
            "https://",
            "a.conf:3:13: job_queues: found \"rpi4\", expected a list of strings: write [\"rpi4\"]",
            "a.conf:4:19: polling_interval: found the number 0, expected a whole number from 1 to 1000000000",
            "a.conf:5:17: global_timeout: found \"3600\" in quotes, expected a whole number from 1 to 1000000000",
            "a.conf:6:17: output_timeout: found the number -5, expected a whole number from 1 to 1000000000",
            "a.conf:7:15: output_bytes: found the number 1.5, expected a whole number from 1 to 1099511627776",
            "a.conf:8:16: logging_quiet: found the number 1, expected true or false",
            "a.conf:9:20: execution_basedir: found \"\", expected the path of a folder",
            "a.conf:10:15: test_command: found a list, expected a string",
            "a.conf:11:1: provision_type: found nothing, expected a string",
            "a.conf:12:20: advertised_queues: found a list, expected a map from queues to their descriptions",
            "a.conf:13:28: advertised_images: found a map, expected a string",
            "a.conf:13:42: advertised_images: found \"x\", expected a map from images to provision_data",
            "a.conf:14:13: unknown key \"trebuchet.mask_hsah\", did you mean \"trebuchet.mask_hash\"?"));
}

TEST(LoadConfig, RefusesAnAgentIdThatIsNoFolderOrAddress) {
    const auto problem_with = [](const std::string& id) {
        const auto problems = problems_of("agent_id: " + id + "\nserver_address: lab\njob_queues: [q]\n");
        return problems.empty() ? "" : problems.front();
    };
    EXPECT_EQ(problem_with("''"), "a.conf:1:11: agent_id: found \"\", expected a non-empty text");
    EXPECT_EQ(problem_with(".."),
              "a.conf:1:11: agent_id: found \"..\", expected a name that is valid as a folder's name");
    EXPECT_EQ(problem_with("a?b"), "a.conf:1:11: agent_id: found \"a?b\", expected a name without / \\ ? # %");
    EXPECT_EQ(problem_with("\"a\\nb\""),
              "a.conf:1:11: agent_id: found \"a\\x0ab\", expected a name without control characters");
    EXPECT_EQ(problem_with("\"a\\0b\""),
              "a.conf:1:11: agent_id: found \"a\\x00b\", expected a string without a zero byte");
    EXPECT_EQ(problem_with(std::string(201, 'x')),
              "a.conf:1:11: agent_id: found \"" + std::string(80, 'x') + "\"…, expected at most 200 bytes");
    EXPECT_EQ(problem_with("rpi 4 (lab).x"), "");
}

TEST(LoadConfig, RefusesQueuesWithoutAName) {
    EXPECT_THAT(problems_of("agent_id: a\nserver_address: lab\njob_queues: []\n"),
                ElementsAre("a.conf:3:13: job_queues: found an empty list, expected at least one queue"));
    EXPECT_THAT(problems_of("agent_id: a\nserver_address: lab\njob_queues: ['', [q], ~, fine]\n"),
                ElementsAre("a.conf:3:14: job_queues: found \"\", expected the name of a queue",
                            "a.conf:3:18: job_queues: found a list, expected the name of a queue",
                            "a.conf:3:23: job_queues: found nothing, expected the name of a queue"));
    EXPECT_THAT(problems_of("agent_id: a\nserver_address: lab\njob_queues: {q: 1}\n"),
                ElementsAre("a.conf:3:13: job_queues: found a map, expected a list of strings"));
}

TEST(LoadConfig, ReadsOurSettingsFromBesideTheFile) {
    const TemporaryFolder folder;
    folder.write("agent.conf", minimal);
    folder.write("trebuchet.yaml", "mask_min_length: 5\nkill_grace: 2.5\n");
    const auto loaded = load_config(folder / "agent.conf");
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->config.trebuchet.mask.min_length, 5U);
    EXPECT_EQ(loaded->config.trebuchet.kill_grace, milliseconds(2500));
    EXPECT_EQ(loaded->config.exported.count("mask_min_length"), 0U);
}

TEST(LoadConfig, LetsTheMainFileWinKeyByKey) {
    const TemporaryFolder folder;
    folder.write("agent.conf", minimal +
                                   "trebuchet:\n  mask_min_length: 7\n  mask_credentials_off: [aws]\n"
                                   "  tls: {client_cert: /c.pem}\n");
    folder.write("trebuchet.yaml",
                 "mask_min_length: 5\nmask_hash: sha256\nmask_credentials_off: [jwt]\n"
                 "tls: {client_cert: /old.pem, client_key: /k.pem}\n");
    const auto loaded = load_config(folder / "agent.conf");
    ASSERT_TRUE(loaded);
    EXPECT_EQ(loaded->config.trebuchet.mask.min_length, 7U);
    EXPECT_EQ(loaded->config.trebuchet.mask.hash, MaskHash::sha256);
    EXPECT_THAT(loaded->config.trebuchet.mask_credentials_off, ElementsAre("aws"));
    EXPECT_EQ(loaded->config.trebuchet.tls.client_cert, "/c.pem");
    EXPECT_EQ(loaded->config.trebuchet.tls.client_key, "/k.pem");
}

TEST(LoadConfig, TellsTheProblemsOfBothFiles) {
    const TemporaryFolder folder;
    folder.write("agent.conf", minimal + "polling_interval: soon\n");
    folder.write("trebuchet.yaml", "\nmask_hash: md5\n");
    const auto loaded = load_config(folder / "agent.conf");
    ASSERT_FALSE(loaded);
    EXPECT_THAT(messages(loaded.error()),
                ElementsAre((folder / "agent.conf").string() +
                                ":4:19: polling_interval: found \"soon\", expected a whole number from 1 to 1000000000",
                            (folder / "trebuchet.yaml").string() +
                                ":2:12: mask_hash: found \"md5\", expected keyed or sha256"));
}

TEST(LoadConfig, SaysWhichFileItCannotRead) {
    const TemporaryFolder folder;
    std::filesystem::create_directory(folder / "trebuchet.yaml");
    const auto loaded = load_config(folder / "absent.conf");
    ASSERT_FALSE(loaded);
    EXPECT_THAT(messages(loaded.error()),
                ElementsAre("cannot open " + (folder / "absent.conf").string() + ": No such file or directory",
                            (folder / "trebuchet.yaml").string() + " is a folder; expected a regular file"));
}

}  // namespace
}  // namespace trebuchet
