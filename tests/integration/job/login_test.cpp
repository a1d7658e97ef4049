#include "tests/integration/harness/lab_test.hpp"

#include <filesystem>

namespace trebuchet::harness {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// An agent that logs in by itself, without a token manager.
class Login : public LabTest {
  protected:
    Login() {
        std::filesystem::remove(agent.folder() / "refresh_token");
        agent.on("test", "echo tested");
        agent.configure({{"trebuchet", {{"client_id", clients::agent}}}});
    }
    void with_key_file(const std::string& key) {
        agent.configure({{"trebuchet", {{"secret_key_file", agent.folder().write("key", key + "\n")}}}});
    }
    [[nodiscard]] std::size_t calls(const std::string& target) {
        std::size_t found = 0;
        for (const auto& request : server.requests()) found += request["target"] == target ? 1U : 0U;
        return found;
    }
    static Json small_job() { return {{"test_data", {{"test_cmds", "x"}}}}; }

    const std::string key_ = std::string("key of ") + clients::agent;
};

TEST_F(Login, WithAKeyFileRunsJobs) {
    with_key_file(key_);
    const auto id = run_job(small_job());
    EXPECT_THAT(server.log(id, "test"), HasSubstr("tested"));
    EXPECT_EQ(calls("/v1/oauth2/token"), 1U);
    EXPECT_THAT(agent.log(), Not(HasSubstr(key_)));
}

TEST_F(Login, WithASystemdCredentialRunsJobs) {
    agent.folder().write("secret_key", key_);
    agent.set_environment("CREDENTIALS_DIRECTORY", agent.folder().path());
    agent.on("test", "echo \"folder: ${CREDENTIALS_DIRECTORY-unset}\"");
    const auto id = run_job(small_job());
    EXPECT_THAT(server.log(id, "test"), HasSubstr("folder: unset"));
}

TEST_F(Login, RenewsByItself) {
    with_key_file(key_);
    static_cast<void>(run_job(small_job()));
    server.advance_clock(std::chrono::minutes(11));
    static_cast<void>(run_job(small_job()));
    EXPECT_EQ(calls("/v1/oauth2/token"), 1U);
    EXPECT_EQ(calls("/v1/oauth2/refresh"), 1U);
}

TEST_F(Login, LogsInAgainWhenItsRefreshTokenExpired) {
    with_key_file(key_);
    static_cast<void>(run_job(small_job()));
    server.advance_clock(std::chrono::hours(24 * 7));
    static_cast<void>(run_job(small_job()));
    EXPECT_EQ(calls("/v1/oauth2/token"), 2U);
}

TEST_F(Login, TakesARightKeyThatReplacesAWrongOne) {
    with_key_file("wrong key");
    agent.start();
    ASSERT_TRUE(agent.logs_text("cannot log in as")) << agent.log();
    EXPECT_THAT(agent.log(), Not(HasSubstr("wrong key")));
    with_key_file(key_);
    const auto id = server.post_job(job(small_job()));
    EXPECT_TRUE(server.reaches(id, "complete")) << agent.log();
}

TEST_F(Login, WithoutAnyKeyIsRefusedWithAReason) {
    agent.start();
    const auto ending = agent.program().wait();
    EXPECT_EQ(ending.code, 2);
    EXPECT_THAT(ending.err, HasSubstr("set trebuchet.secret_key_file"));
}

}  // namespace
}  // namespace trebuchet::harness
