#include "tests/integration/harness/lab_test.hpp"
#include "tests/integration/harness/reserved_port.hpp"

#include <chrono>

namespace trebuchet::harness {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

using namespace std::chrono_literals;

class Connection : public LabTest {
  protected:
    Connection() { agent.on("test", "echo tested"); }

    static Json small_job() { return {{"test_data", {{"test_cmds", "x"}}}}; }

    std::size_t count(const std::string& method, const std::string& target) {
        std::size_t found = 0;
        for (const auto& request : server.requests()) {
            if (request["method"] == method && request["target"] == target) ++found;
        }
        return found;
    }

    [[nodiscard]] std::size_t polls() { return count("GET", std::string("/v1/job?queue=") + queue); }
};

TEST_F(Connection, ComesAboutWhenTheServerStartsAfterTheAgent) {
    const ReservedPort port;
    agent.configure({{"server_address", "https://127.0.0.1:" + std::to_string(port.number())}});
    agent.start();
    ASSERT_TRUE(agent.logs_text("cannot reach the server")) << agent.log();
    LabServer late(folder / "late", authority, port.number());
    agent.write_token(late.tokens(clients::agent)["refresh_token"]);
    const auto id = late.post_job(job(small_job()));

    EXPECT_TRUE(late.reaches(id, "complete")) << agent.log();
}

TEST_F(Connection, ComesBackWhenTheServerWasAway) {
    const ReservedPort port;
    auto first = std::make_unique<LabServer>(folder / "first", authority, port.number());
    agent.configure({{"server_address", first->url()}});
    agent.write_token(first->tokens(clients::agent)["refresh_token"]);
    const auto before = first->post_job(job(small_job()));
    agent.start();
    ASSERT_TRUE(first->reaches(before, "complete")) << agent.log();
    first.reset();
    ASSERT_TRUE(agent.logs_text("cannot ask")) << agent.log();
    LabServer second(folder / "second", authority, port.number());
    agent.write_token(second.tokens(clients::agent)["refresh_token"]);
    const auto after = second.post_job(job(small_job()));

    EXPECT_TRUE(second.reaches(after, "complete")) << agent.log();
    EXPECT_EQ(second.agent(agent_id)["queues"], Json::array({queue})) << "the agent has not registered again";
}

TEST_F(Connection, IsRefusedToAServerOfAnotherAuthority) {
    const TestAuthority other(folder.path(), "other");
    agent.configure({{"trebuchet", {{"tls", {{"ca_file", other.certificate()}}}}}});
    agent.start();
    ASSERT_TRUE(agent.logs_text("cannot reach the server")) << agent.log();

    EXPECT_TRUE(server.agent(agent_id).empty());
    EXPECT_THAT(agent.log(), HasSubstr("handshake"));
    EXPECT_TRUE(agent.program().is_running());
}

TEST_F(Connection, IsRefusedToAServerWithoutAConfiguredAuthority) {
    agent.configure({{"trebuchet", nullptr}});
    agent.start();
    ASSERT_TRUE(agent.logs_text("cannot reach the server")) << agent.log();

    EXPECT_TRUE(server.agent(agent_id).empty());
}

TEST_F(Connection, TrustsTheAuthorityOfRequestsCaBundle) {
    agent.configure({{"trebuchet", nullptr}});
    agent.set_environment("REQUESTS_CA_BUNDLE", server.authority());
    agent.start();

    EXPECT_TRUE(agent.is_ready()) << agent.log();
}

TEST_F(Connection, TakesTheServersNameAsWellAsItsAddress) {
    auto address = server.url();
    address.replace(address.find("127.0.0.1"), std::string("127.0.0.1").size(), "localhost");
    agent.configure({{"server_address", address}});
    agent.start();

    EXPECT_TRUE(agent.is_ready()) << agent.log();
}

TEST_F(Connection, CarriesTheCookieByWhichTheServerKnowsTheAgent) {
    agent.start();
    ASSERT_TRUE(eventually([&] { return polls() > 0; })) << agent.log();

    for (const auto& request : server.requests()) {
        if (request["target"] == std::string("/v1/job?queue=") + queue) {
            EXPECT_EQ(request["agent"], agent_id);
            EXPECT_EQ(request["client"], clients::agent);
        }
    }
}

TEST_F(Connection, TakesTwoRequestsForAnIdlePoll) {
    agent.configure({{"advertised_queues", {{"bench", "boards"}}}});
    agent.start();
    ASSERT_TRUE(eventually([&] { return polls() >= 4; })) << agent.log();

    std::size_t since_last = 0;
    std::size_t seen = 0;
    for (const auto& request : server.requests()) {
        if (request["agent"] != agent_id) continue;
        ++since_last;
        if (request["target"] != std::string("/v1/job?queue=") + queue) continue;
        // The first poll follows the registration.
        if (seen++ > 0) {
            EXPECT_LE(since_last, 2U);
        }
        since_last = 0;
    }
    EXPECT_EQ(count("POST", "/v1/agents/queues"), 1U);
}

TEST_F(Connection, RenewsAnAccessTokenThatExpired) {
    agent.start();
    ASSERT_TRUE(eventually([&] { return polls() > 0; })) << agent.log();
    server.advance_clock(11min);
    const auto id = server.post_job(job(small_job()));

    EXPECT_TRUE(server.reaches(id, "complete")) << agent.log();
    EXPECT_EQ(count("POST", "/v1/oauth2/refresh"), 2U);
}

TEST_F(Connection, LosesNoOutputWhenTheAccessTokenExpiresInTheMiddleOfAJob) {
    auto held = gate();
    agent.on("test", "echo before; " + held.wait_command() + "; echo after");
    const auto id = server.post_job(job(small_job()));
    agent.start();
    ASSERT_TRUE(server.shows(id, "test", "before")) << agent.log();
    server.advance_clock(11min);
    held.open();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();

    EXPECT_THAT(server.log(id, "test"), HasSubstr("before\nafter\n"));
    EXPECT_EQ(server.result(id)["test_status"], 0);
}

TEST_F(Connection, SurvivesANewSigningKeyOfTheServer) {
    agent.start();
    ASSERT_TRUE(eventually([&] { return polls() > 0; })) << agent.log();
    server.rotate_key();
    const auto id = server.post_job(job(small_job()));

    EXPECT_TRUE(server.reaches(id, "complete")) << agent.log();
}

TEST_F(Connection, ReadsTheTokenFileAgainWhenItsTokenIsNotGoodAnyMore) {
    agent.start();
    ASSERT_TRUE(eventually([&] { return polls() > 0; })) << agent.log();
    server.advance_clock(std::chrono::hours(7 * 24));
    ASSERT_TRUE(agent.logs_text("no access token")) << agent.log();
    agent.write_token(server.tokens(clients::agent)["refresh_token"]);
    const auto id = server.post_job(job(small_job()));

    EXPECT_TRUE(server.reaches(id, "complete")) << agent.log();
}

TEST_F(Connection, ToleratesATokenFileThatIsMissingOrHalfWrittenForAWhile) {
    agent.start();
    ASSERT_TRUE(eventually([&] { return polls() > 0; })) << agent.log();
    std::filesystem::remove(agent.folder() / "refresh_token");
    static_cast<void>(agent.folder().write("refresh_token", R"({"refresh_to)"));
    auto id = server.post_job(job(small_job()));
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();

    server.advance_clock(std::chrono::minutes(11));
    ASSERT_TRUE(agent.logs_text("Token has expired")) << agent.log();
    EXPECT_THAT(agent.log(), HasSubstr("contains no token; expected"));
    id = server.post_job(job(small_job()));
    agent.write_token(server.tokens(clients::agent)["refresh_token"]);
    EXPECT_TRUE(server.reaches(id, "complete")) << agent.log();
}

TEST_F(Connection, ComesAboutWhenTheTokenFileIsWrittenLater) {
    std::filesystem::remove(agent.folder() / "refresh_token");
    agent.start();
    ASSERT_TRUE(agent.logs_text("no token file")) << agent.log();
    agent.write_token(server.tokens(clients::agent)["refresh_token"]);

    EXPECT_TRUE(agent.is_ready()) << agent.log();
}

TEST_F(Connection, KeepsTokensOutOfTheLog) {
    agent.configure({{"logging_level", "DEBUG"}});
    const auto token = server.tokens(clients::agent)["refresh_token"].get<std::string>();
    agent.write_token(token);
    static_cast<void>(run_job(small_job()));
    server.advance_clock(11min);
    static_cast<void>(run_job(small_job()));

    EXPECT_THAT(agent.log(), Not(HasSubstr(token)));
    EXPECT_THAT(agent.log(), Not(HasSubstr("Bearer")));
}

TEST_F(Connection, GoesOnWhenTheWebhookFails) {
    static_cast<void>(server.control("POST", "/settings", {{"events_status", 500}}));
    auto fields = small_job();
    fields["job_status_webhook"] = webhook;
    const auto id = run_job(fields);

    EXPECT_EQ(count("POST", "/v1/job/" + id + "/events"), 1U) << "the agent must give up after one attempt";
    EXPECT_EQ(server.result(id)["test_status"], 0);
}

TEST_F(Connection, PollsOnlyTheRestrictedQueuesIfThereAreSome) {
    agent.configure({{"job_queues", {"bench", "private"}}});
    static_cast<void>(server.control("POST", std::string("/agents/") + agent_id,
                                     {{"restricted_to", {{"private", {clients::submitter}}}}}));
    agent.start();

    EXPECT_TRUE(eventually([&] { return count("GET", "/v1/job?queue=private") > 0; })) << agent.log();
}

}  // namespace
}  // namespace trebuchet::harness
