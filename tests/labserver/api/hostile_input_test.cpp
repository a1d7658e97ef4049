#include "tests/labserver/api/server_fixture.hpp"

#include <random>

namespace trebuchet::labserver {
namespace {

using namespace std::string_literals;

class HostileInput : public ServerTest {
  protected:
    const std::vector<std::pair<std::string, std::string>> endpoints = {
        {"POST", "/v1/job"},
        {"POST", "/v1/result/"s + some_job_id},
        {"POST", "/v1/result/"s + some_job_id + "/log/output"},
        {"POST", "/v1/result/"s + some_job_id + "/artifact"},
        {"POST", "/v1/job/"s + some_job_id + "/events"},
        {"POST", "/v1/job/"s + some_job_id + "/action"},
        {"POST", "/v1/job/"s + some_job_id + "/attachments"},
        {"POST", "/v1/agents/data/a1"},
        {"POST", "/v1/agents/queues"},
        {"POST", "/v1/agents/images"},
        {"POST", "/v1/agents/provision_logs/a1"},
        {"POST", "/v1/oauth2/token"},
        {"POST", "/v1/oauth2/refresh"},
        {"POST", "/v1/oauth2/revoke"},
        {"PUT", "/v1/secrets/root/p"},
        {"POST", "/v1/restricted-queues/q"},
        {"DELETE", "/v1/restricted-queues/q"},
        {"POST", "/control/clients"},
        {"POST", "/control/tokens"},
        {"POST", "/control/clock"},
        {"POST", "/control/agents/a1"},
        {"POST", "/control/settings"},
    };

    void expect_refused_everywhere(const std::string& body) {
        const auto rig = as("rig");
        const auto root = as("root");
        for (const auto& [method, target] : endpoints) {
            for (const auto& by : {rig, root}) {
                const auto status = send(method, target, body, by).status;
                EXPECT_TRUE(status >= 400 && status < 500)
                    << method << " " << target << " " << status << " " << body.substr(0, 60);
            }
        }
    }
};

TEST_F(HostileInput, RefusesBadJson) {
    for (const auto& body :
         {"{"s, "}"s, "{\"a\":}"s, "'x'"s, "{\"a\":1}}"s, "nul"s, "\0"s, "\xEF\xBB\xBF"s, "{\"a\" 1}"s, "1e999999"s}) {
        expect_refused_everywhere(body);
    }
}

TEST_F(HostileInput, RefusesDeepNesting) {
    expect_refused_everywhere(std::string(10'000, '['));
    expect_refused_everywhere(std::string(10'000, '[') + std::string(10'000, ']'));
    std::string objects;
    for (int i = 0; i < 10'000; ++i) objects += "{\"a\":";
    expect_refused_everywhere(objects + "1" + std::string(10'000, '}'));
    expect_refused_everywhere(R"({"firmware_update_data":)" + objects + "1" + std::string(10'001, '}'));
}

TEST_F(HostileInput, IsNotFooledByBracketsInStrings) {
    const auto brackets = std::string(10'000, '[');
    EXPECT_EQ(post("/v1/job", {{"job_queue", "q"}, {"name", brackets + "\\\"" + brackets}}).status, 200);
}

TEST_F(HostileInput, RefusesInvalidUtf8) {
    for (const auto* bad : {"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf8\x88\x80\x80\x80", "\xe2\x82"}) {
        expect_refused_everywhere("{\"job_queue\":\""s + bad + "\"}");
        expect_refused_everywhere("{\""s + bad + "\":\"x\"}");
    }
}

TEST_F(HostileInput, RefusesTheWrongTypeAtTheTop) {
    for (const auto* body : {"[]", "[[]]", "5", "\"x\"", "true", "null", "[{\"job_queue\":\"q\"}]"})
        expect_refused_everywhere(body);
}

TEST_F(HostileInput, AnswersOddTargetsWithoutFailing) {
    for (const auto& target : {""s,
                               "/"s,
                               "//"s,
                               "/v1//job"s,
                               "/v1/job/"s,
                               "/v1/job/%"s,
                               "/v1/job/%zz"s,
                               "/v1/job/%00"s,
                               "/v1/job/%ff%fe"s,
                               "/v1/job/../../etc/passwd"s,
                               "/v1/agents/data/%ff"s,
                               "/v1/agents/data/"s,
                               "/v1?%"s,
                               "/v1/job?queue=%ff"s,
                               "/v1/job?="s,
                               "/v1/job?&&&"s,
                               "/v1/job?queue"s,
                               "*"s,
                               "http://elsewhere/v1/job"s,
                               "/v1/job/search?tags=%ff"s,
                               "/v1/job/search?state=%ff"s,
                               "/v1/queues/%ff/agents"s,
                               "/v1/queues/%ff/jobs"s,
                               "/v2/job"s,
                               "/control/timings/%ff"s,
                               "/" + std::string(60'000, 'x'),
                               "/v1/job?queue=" + std::string(60'000, '%')}) {
        for (const auto* method : {"GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW", ""}) {
            for (const auto& by : {as_agent(), as("root")}) {
                const auto response = send(method, target, "", by);
                EXPECT_TRUE(response.status >= 200 && response.status < 500)
                    << method << " " << target << " " << response.status;
            }
        }
    }
}

TEST_F(HostileInput, StoresAndShowsNamesThatAreNotUtf8) {
    ASSERT_EQ(post("/v1/agents/data/%ff%0a", {{"queues", {"q"}}}, as("rig")).status, 200);
    EXPECT_EQ(get("/v1/agents/data").status, 200);
    EXPECT_EQ(get("/v1/queues/q/agents").status, 200);
    EXPECT_EQ(get("/control/requests").status, 200);
}

TEST_F(HostileInput, TakesOddHeaders) {
    for (const auto& cookie : {";;;"s, "="s, "agent_name"s, "agent_name="s, "agent_name=\""s, "agent_name=\"\\"s,
                               "agent_name=\"\\9\""s, "x=y; agent_name=\"\\377\\012\""s, std::string(100'000, ';')}) {
        auto by = as("rig");
        by.cookie = cookie;
        const auto status = get("/v1/job?queue=q", by).status;
        EXPECT_TRUE(status == 401 || status == 204) << cookie.substr(0, 40);
    }
    for (const auto& token :
         {"."s, ".."s, "..."s, "\xff.\xff.\xff"s, std::string(100'000, '.'), std::string(100'000, 'x')}) {
        EXPECT_EQ(get("/v1/result/"s + some_job_id, {token}).status, 403);
    }
}

TEST_F(HostileInput, SurvivesRandomlyDamagedJobs) {
    const auto good =
        Json::parse(R"({"job_queue": "q", "tags": ["a"], "provision_data": {"url": "http://example.com/i"}, "test_data":
        {"test_cmds": "true", "secrets": {"A": "b"}, "attachments": [{"agent": "x"}]}, "reserve_data": {"ssh_keys": ["lp:x"],
        "timeout": "2h30m"}, "job_priority": 1, "exclude_agents": ["a1"]})")
            .dump();
    std::mt19937 random(42);  // NOLINT: the same each time on purpose
    const auto alice = as("alice");
    for (int i = 0; i < 3000; ++i) {
        auto damaged = good;
        for (auto hits = random() % 4 + 1; hits > 0; --hits)
            damaged[random() % damaged.size()] = static_cast<char>(random());
        if (random() % 3 == 0) damaged.resize(random() % damaged.size());
        const auto status = send("POST", "/v1/job", damaged, alice).status;
        EXPECT_TRUE(status == 200 || (status >= 400 && status < 500)) << status << " " << damaged;
    }
}

}  // namespace
}  // namespace trebuchet::labserver
