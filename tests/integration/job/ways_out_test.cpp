#include "tests/integration/harness/lab_test.hpp"

#include <csignal>
#include <regex>

#include <sys/stat.h>

namespace trebuchet::harness {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* value = "correct horse=42";

/// The forms in which a person can read the value: plain, base64 (the part that does not depend on the text around it),
/// hex, percent-encoded.
constexpr std::array shown_forms{"correct horse=42", "Y29ycmVjdCBob3JzZT00M", "636f727265637420686f7273653d3432",
                                 "correct%20horse%3D42"};

/// A shell command that prints each form.
constexpr const char* print_forms = R"(
    printf '%s\n' "$TOKEN"; printf '%s\n' "$TOKEN" >&2
    printf %s "$TOKEN" | base64
    printf %s "$TOKEN" | od -An -v -tx1 | tr -d ' \n'; echo
    printf '%s\n' "$TOKEN" | sed 's/ /%20/; s/=/%3D/'
)";

/// A job whose phases leak a secret in every possible way.
class WaysOut : public LabTest {
  protected:
    WaysOut() {
        server.store_secret("token", value);
        agent.configure({{"trebuchet", {{"stop_grace", 0}, {"metrics_address", "127.0.0.1"}}}});
        agent.configure({{"logging_level", "DEBUG"}});
        agent.add_argument("--metrics_port=0");
    }

    [[nodiscard]] static Json leaky_job() {
        return job({{"provision_data", {{"distro", "noble"}}},
                    {"job_status_webhook", webhook},
                    {"test_data", {{"test_cmds", "x"}, {"secrets", {{"TOKEN", "token"}}}}}});
    }

    std::string run_to_end() {
        auto id = server.post_job(leaky_job());
        agent.start();
        EXPECT_TRUE(server.reaches(id, "complete")) << agent.log();
        return id;
    }

    /// Expects the value neither in what was sent to the server nor in what the agent stored on disk.
    void expect_unseen(const std::string& id) {
        const auto requests = server.requests().dump();
        const auto artifacts = everything_in(server.artifacts(id));
        for (const auto* form : shown_forms) {
            EXPECT_THAT(requests, Not(HasSubstr(form)));
            EXPECT_THAT(artifacts, Not(HasSubstr(form)));
            EXPECT_THAT(server.log(id, "provision") + server.log(id, "test") + server.log(id, "cleanup"),
                        Not(HasSubstr(form)));
            EXPECT_THAT(server.log(id, "test", "serial"), Not(HasSubstr(form)));
            EXPECT_THAT(agent.log(), Not(HasSubstr(form)));
            EXPECT_THAT(files_holding(agent.folder().path(), form), IsEmpty());
        }
    }

    [[nodiscard]] static std::string everything_in(const std::map<std::string, std::string>& artifacts) {
        std::string all;
        for (const auto& [name, content] : artifacts) all += name + "\n" + content + "\n";
        return all;
    }

    [[nodiscard]] std::string fetch(const std::string& path) {
        std::smatch found;
        const auto log = agent.log();
        if (!std::regex_search(log, found, std::regex("metrics at (http://[0-9.]+:[0-9]+)/"))) return "";
        return run({"/usr/bin/curl", {"-sS", "--noproxy", "*", found[1].str() + path}}).out;
    }
};

TEST_F(WaysOut, OutputSerialLogDeviceInfoEventsAndProvisionLog) {
    agent.on("provision", std::string(print_forms) + R"(
        printf '{"device_info": {"%s": ["x %s"]}}' "$TOKEN" "$TOKEN" > device-info.json)");
    agent.on("test", std::string("{") + print_forms + R"(} > test-serial.log
        printf '{"runtest_exception_info": {"exception_name": "Failed", "exception_message": "with %s"}}' \
            "$TOKEN" > device-connector-error.json
        exit 1)");
    const auto id = run_to_end();
    expect_unseen(id);
    EXPECT_THAT(server.log(id, "test", "serial"), HasSubstr("**"));
    EXPECT_THAT(server.requests().dump(), HasSubstr("Failed: with **"));
    for (const auto* path : {"/metrics", "/healthz"}) {
        const auto answer = fetch(path);
        EXPECT_THAT(answer, Not(IsEmpty()));
        EXPECT_THAT(answer, Not(HasSubstr(value)));
    }
    EXPECT_THAT(fetch("/metrics"),
                HasSubstr("trebuchet_masked_total{agent_id=\"board-1\",form=\"base64\",place=\"provision\"} 1\n"));
}

TEST_F(WaysOut, Artifacts) {
    agent.on("test", std::string("mkdir -p artifacts/sub && cd artifacts && {") + print_forms + R"(} > forms.txt
        echo plain > "sub/of-$TOKEN.txt"
        printf '\000\001 %s \000' "$TOKEN" > core
        printf '\000\001 fine \000' > fine.core
        tar cf - forms.txt | gzip > logs.tar.gz; tar czf twice.tgz logs.tar.gz
        echo fine | gzip > fine.gz
        printf %s "$TOKEN" | sed 's/./&\x00/g' > utf16)");
    const auto id = run_to_end();
    expect_unseen(id);
    const auto artifacts = server.artifacts(id);
    std::vector<std::string> names;
    for (const auto& [name, content] : artifacts) {
        names.push_back(std::regex_replace(name, std::regex(R"(\*\*[0-9a-f]{6}\*\*)"), "M"));
    }
    EXPECT_THAT(names,
                ElementsAre("artifacts/core.withheld.txt", "artifacts/fine.core", "artifacts/fine.gz",
                            "artifacts/forms.txt", "artifacts/logs.tar.gz.withheld.txt", "artifacts/sub/of-M.txt",
                            "artifacts/twice.tgz.withheld.txt", "artifacts/utf16.withheld.txt"));
    EXPECT_EQ(artifacts.at("artifacts/fine.core"), std::string("\0\1 fine \0", 9));
    const auto log = server.log(id, "test");
    EXPECT_THAT(log, HasSubstr("artifacts/core\" is withheld: it contains a secret: TOKEN (as it is)"));
    EXPECT_THAT(log, HasSubstr("\nartifacts: TOKEN (as it is): "));
    EXPECT_THAT(server.requests().dump(), HasSubstr("secrets_masked"));
}

TEST_F(WaysOut, ArtifactsAreRefusedAsAWholeIfSoConfigured) {
    agent.configure({{"trebuchet", {{"artifacts_masking", "fail"}}}});
    agent.on("test", R"(mkdir artifacts; echo fine > artifacts/fine; echo "$TOKEN" | gzip > artifacts/log.gz)");
    const auto id = run_to_end();
    EXPECT_THAT(server.artifacts(id), IsEmpty());
    EXPECT_THAT(server.log(id, "test"), HasSubstr("ERROR: none of the artifacts is sent"));
    EXPECT_THAT(server.requests().dump(), HasSubstr("artifacts_refused"));
}

TEST_F(WaysOut, ArtifactsGoAsTheyAreIfSoConfiguredWithAWarning) {
    agent.configure({{"trebuchet", {{"artifacts_masking", "off"}}}});
    agent.on("test", R"(mkdir artifacts; echo "$TOKEN" > artifacts/log)");
    const auto id = run_to_end();
    EXPECT_THAT(everything_in(server.artifacts(id)), HasSubstr(value));
    EXPECT_THAT(agent.log(), HasSubstr("artifacts_masking is off"));
}

TEST_F(WaysOut, FilesOnDiskWhileThePhaseRunsAndWhatIsKeptWhenTheServerRefuses) {
    auto held = gate();
    agent.on("test", std::string(print_forms) + held.wait_command());
    const auto id = server.post_job(leaky_job());
    agent.start();
    ASSERT_TRUE(server.shows(id, "test", "**")) << agent.log();
    for (const auto* form : shown_forms) {
        EXPECT_THAT(files_holding(agent.folder().path(), form), IsEmpty()) << form;
    }
    server.add_fault(
        {{"what", "status"}, {"value", 500}, {"method", "POST"}, {"target", "/v1/result/*"}, {"count", 0}});
    agent.program().signal(SIGTERM);
    static_cast<void>(agent.program().wait());
    for (const auto* form : shown_forms) {
        EXPECT_THAT(agent.files_holding(form), IsEmpty()) << form;
        EXPECT_THAT(agent.log(), Not(HasSubstr(form)));
    }
}

}  // namespace
}  // namespace trebuchet::harness
