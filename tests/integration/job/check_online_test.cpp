#include "tests/integration/harness/lab_test.hpp"

namespace trebuchet::harness {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// `trebuchet-agent check-config --online` with the agent's configuration, which does not run.
class CheckOnline : public LabTest {
  protected:
    Ending check(const std::vector<std::string>& more = {}) {
        agent.write_configuration();
        std::vector<std::string> arguments{"check-config", "--online",
                                           "-c",           agent.folder() / "testflinger-agent.conf",
                                           "--token-file", agent.folder() / "refresh_token"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        return run({TREBUCHET_AGENT, arguments});
    }
    /// The verdict of this check; "error" if it made several findings and one of them is; "missing" if there is none.
    [[nodiscard]] static std::string verdict(const Ending& ending, const std::string& of) {
        std::string found = "missing";
        for (const auto& finding : Json::parse(ending.out)) {
            if (finding["check"] == of && found != "error") found = finding["verdict"];
        }
        return found;
    }
};

TEST_F(CheckOnline, FindsAWorkingAgentFineAndLeavesNoTrace) {
    const auto ending = check();
    EXPECT_EQ(ending.code, 0) << ending.out << ending.err;
    for (const auto* line : {"ok      dns", "ok      tcp", "ok      tls", "clock", "ok      token", "ok      role",
                             "ok      queues", "ok      agent          the server does not know the agent yet"}) {
        EXPECT_THAT(ending.out, HasSubstr(line));
    }
    for (const auto& request : server.requests()) {
        const auto target = request["target"].get<std::string>();
        EXPECT_TRUE(request["method"] == "GET" || target.starts_with("/v1/oauth2/")) << request;
    }
}

TEST_F(CheckOnline, SaysWhatIsWrongWithTheServer) {
    agent.configure({{"trebuchet", {{"tls", {{"ca_file", nullptr}}}}}});
    auto ending = check({"--json"});
    EXPECT_EQ(ending.code, 1);
    EXPECT_EQ(verdict(ending, "tls"), "error") << ending.out;
    EXPECT_THAT(ending.out, HasSubstr("trebuchet.tls.ca_file"));
    agent.configure({{"trebuchet", {{"tls", {{"ca_file", (folder / "missing.pem").string()}}}}}});
    EXPECT_EQ(verdict(check({"--json"}), "tls files"), "error");
    agent.configure(
        {{"server_address", "https://127.0.0.1:1"}, {"trebuchet", {{"tls", {{"ca_file", server.authority()}}}}}});
    EXPECT_EQ(verdict(check({"--json"}), "tcp"), "error");
    agent.configure({{"server_address", "https://no-such-host.invalid"}});
    EXPECT_EQ(verdict(check({"--json"}), "dns"), "error");
}

TEST_F(CheckOnline, SaysWhatIsWrongWithTheToken) {
    agent.write_token(server.tokens(clients::submitter)["refresh_token"]);
    auto ending = check({"--json"});
    EXPECT_EQ(ending.code, 1);
    EXPECT_EQ(verdict(ending, "role"), "error") << ending.out;
    agent.write_token("not-a-good-token-of-this-server");
    ending = check({"--json"});
    EXPECT_EQ(verdict(ending, "token"), "error") << ending.out;
    EXPECT_THAT(ending.out + ending.err, Not(HasSubstr("not-a-good-token-of-this-server")));
}

TEST_F(CheckOnline, SaysThatAProgramIsMissing) {
    agent.on("test", "no-such-program-here");
    const auto ending = check();
    EXPECT_EQ(ending.code, 1);
    EXPECT_THAT(ending.out, HasSubstr("error   programs       there is no program \"no-such-program-here\""));
}

}  // namespace
}  // namespace trebuchet::harness
