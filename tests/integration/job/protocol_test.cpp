#include "tests/integration/harness/lab_test.hpp"

#include <algorithm>
#include <filesystem>
#include <regex>
#include <set>

namespace trebuchet::harness {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

constexpr const char* iso_time = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}(\\.[0-9]+)?(Z|\\+00:00)";

/// The agent's requests, as the server recorded them.
class Protocol : public LabTest {
  protected:
    Protocol() {
        for (const auto* phase : {"setup", "provision", "firmware_update", "test", "reserve", "cleanup"})
            agent.on(phase, std::string("echo ran ") + phase);
    }

    static Json small_job() { return {{"test_data", {{"test_cmds", "x"}}}}; }
    /// A job with all phases except allocate, which would wait for the job's end.
    static Json whole_job() {
        return {{"provision_data", {{"distro", "noble"}}},
                {"firmware_update_data", {{"version", "latest"}}},
                {"test_data", {{"test_cmds", "x"}}},
                {"reserve_data", {{"timeout", 60}}}};
    }

    /// The agent's requests in order, without its logins.
    std::vector<Json> requests_of_agent() {
        std::vector<Json> found;
        for (const auto& request : server.requests()) {
            const bool is_login = request["target"].get_ref<const std::string&>().starts_with("/v1/oauth2/");
            if (request["client"] == clients::agent && !is_login) found.push_back(request);
        }
        return found;
    }
    /// The bodies of the agent's posts to `target`.
    std::vector<Json> posts(const std::string& target) {
        std::vector<Json> bodies;
        for (const auto& request : requests_of_agent()) {
            if (request["method"] == "POST" && request["target"] == target) bodies.push_back(request["body"]);
        }
        return bodies;
    }
    static bool is_poll(const Json& request) {
        return request["method"] == "GET" && request["target"].get_ref<const std::string&>().starts_with("/v1/job?");
    }
    static const std::string& agent_target() {
        static const std::string target = std::string("/v1/agents/data/") + agent_id;
        return target;
    }
    std::vector<std::string> ran(const std::string& id) {
        std::vector<std::string> phases;
        const auto result = server.result(id);
        for (const auto* phase : {"setup", "provision", "firmware_update", "test", "allocate", "reserve", "cleanup"}) {
            if (result.contains(std::string(phase) + "_status")) phases.emplace_back(phase);
        }
        return phases;
    }
    /// The JSON document that a phase printed between the banner and the end of its log.
    Json printed(const std::string& id, const std::string& phase) {
        const auto log = server.log(id, phase);
        return Json::parse(log.substr(std::min(log.size(), log.find("*\n{") + 2)), nullptr, false);
    }
};

TEST_F(Protocol, EveryCallIsMadeWithATokenAndTheCookie) {
    agent.on("provision", R"(echo '{"device_info": {"device_ip": "192.0.2.7"}}' > device-info.json)");
    agent.on("test", "mkdir artifacts; echo x > artifacts/x; echo boot > test-serial.log");
    auto fields = whole_job();
    fields["job_status_webhook"] = webhook;
    static_cast<void>(run_job(fields));
    ASSERT_TRUE(server.agent_is(agent_id, "waiting"));

    bool registered = false;
    for (const auto& request : server.requests()) {
        const auto& target = request["target"].get_ref<const std::string&>();
        if (request["client"].is_null()) {
            EXPECT_EQ(target, "/v1/oauth2/refresh") << "only a renewal is made without a token";
        }
        if (request["client"] != clients::agent) continue;
        if (registered) {
            EXPECT_EQ(request["agent"], agent_id) << target;
        }
        registered = registered || (request["method"] == "POST" && target == agent_target());
    }
    EXPECT_TRUE(registered);
}

TEST_F(Protocol, NoOtherCallsAreMadeThanAnAgentMayMake) {
    agent.on("provision", R"(echo '{"device_info": {"device_ip": "192.0.2.7"}}' > device-info.json)");
    agent.on("test", "mkdir artifacts; echo x > artifacts/x; echo boot > test-serial.log");
    auto fields = whole_job();
    fields["job_status_webhook"] = webhook;
    const auto id = run_job(fields);
    ASSERT_TRUE(server.agent_is(agent_id, "waiting"));

    std::set<std::string> calls;
    for (const auto& request : requests_of_agent()) {
        calls.insert(request["method"].get<std::string>() + " " + request["target"].get<std::string>());
    }
    const auto result = "/v1/result/" + id;
    EXPECT_THAT(calls, ElementsAre("GET " + agent_target(), std::string("GET /v1/job?queue=") + queue,
                                   "GET " + result + "/status", "POST " + agent_target(),
                                   std::string("POST /v1/agents/provision_logs/") + agent_id,
                                   "POST /v1/job/" + id + "/events", "POST " + result, "POST " + result + "/artifact",
                                   "POST " + result + "/log/output", "POST " + result + "/log/serial"));
}

TEST_F(Protocol, ItsRecordIsReadBeforeEachPoll) {
    static_cast<void>(run_job(small_job()));
    static_cast<void>(run_job(small_job()));
    ASSERT_TRUE(server.agent_is(agent_id, "waiting"));

    bool asked = false;
    std::size_t polls = 0;
    for (const auto& request : requests_of_agent()) {
        if (request["method"] == "GET" && request["target"] == agent_target()) asked = true;
        if (!is_poll(request)) continue;
        EXPECT_TRUE(asked) << "poll " << polls;
        asked = false;
        ++polls;
    }
    EXPECT_GE(polls, 2U);
}

TEST_F(Protocol, IdlePollsKeepTheirInterval) {
    agent.start();
    const auto times = [&] {
        std::vector<double> all;
        for (const auto& request : requests_of_agent()) {
            if (is_poll(request)) all.push_back(request["time"]);
        }
        return all;
    };
    ASSERT_TRUE(eventually([&] { return times().size() >= 3; })) << agent.log();
    const auto polls = times();
    for (std::size_t i = 1; i < polls.size(); ++i)
        EXPECT_GE(polls[i] - polls[i - 1], 0.9) << "seconds between two requests";
}

TEST_F(Protocol, ATokenThatComesLaterIsTakenWhereNobodyMayBeAnonymous) {
    static_cast<void>(server.control("POST", "/settings", {{"anonymous", false}}));
    std::filesystem::remove(agent.folder() / "refresh_token");
    agent.start();
    ASSERT_TRUE(agent.logs_text("the server answered 401")) << agent.log();
    agent.write_token(server.tokens(clients::agent)["refresh_token"]);

    EXPECT_TRUE(agent.is_ready()) << agent.log();
}

TEST_F(Protocol, APollThatDoesNotIdentifyTheAgentLeadsToARegistration) {
    server.add_fault({{"what", "status"}, {"value", 401}, {"method", "GET"}, {"target", "/v1/job"}, {"count", 2}});
    const auto id = server.post_job(job(small_job()));
    agent.start();
    ASSERT_TRUE(server.faults_have_hit()) << agent.log();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();

    std::vector<std::string> since_the_refusal;
    for (const auto& request : server.requests()) {
        const bool refused = is_poll(request) && request["status"] == 401;
        if (refused || !since_the_refusal.empty()) {
            since_the_refusal.push_back(request["method"].get<std::string>() + " " +
                                        request["target"].get<std::string>());
        }
        if (is_poll(request) && request["status"] == 200) break;
    }
    EXPECT_THAT(since_the_refusal, ::testing::Contains("POST " + agent_target()));
}

TEST_F(Protocol, APollWhoseAnswerIsLostIsNotSentAgainByItself) {
    server.add_fault({{"what", "lose-answer"}, {"method", "GET"}, {"target", "/v1/job"}});
    const auto lost = server.post_job(job(small_job()));
    const auto next = server.post_job(job(small_job()));
    agent.start();
    ASSERT_TRUE(server.faults_have_hit()) << agent.log();
    ASSERT_TRUE(server.reaches(next, "complete")) << agent.log();

    EXPECT_EQ(server.job_state(lost), "running");
    std::size_t polls_since_registration = 0;
    for (const auto& request : server.requests()) {
        if (request["target"] == agent_target()) polls_since_registration = 0;
        if (is_poll(request)) {
            EXPECT_EQ(polls_since_registration++, 0U);
        }
    }
}

TEST_F(Protocol, OnePollAsksForAllQueues) {
    agent.configure({{"job_queues", {"rare", queue}}});
    const auto id = run_job(small_job());

    const auto requests = requests_of_agent();
    const auto poll = std::find_if(requests.begin(), requests.end(), is_poll);
    ASSERT_NE(poll, requests.end());
    EXPECT_EQ((*poll)["target"], std::string("/v1/job?queue=rare&queue=") + queue);
    EXPECT_EQ(server.job_state(id), "complete");
}

TEST_F(Protocol, EachStatusHoldsTheFormerOnesAndResultsNothingElse) {
    agent.on("provision", R"(echo '{"device_info": {"device_ip": "192.0.2.7"}}' > device-info.json)");
    agent.on("test", "exit 3");
    const auto id = run_job(whole_job());

    Json last = Json::object();
    std::vector<std::string> states;
    for (const auto& body : posts("/v1/result/" + id)) {
        for (const auto& [key, value] : body.items()) {
            EXPECT_THAT(key, ::testing::AnyOf("status", "device_info", "job_state"));
            if (key == "job_state") states.push_back(value);
            if (key != "status") continue;
            for (const auto& [phase, code] : last.items()) EXPECT_EQ(value.value(phase, -1), code) << phase;
            last = value;
        }
    }
    EXPECT_EQ(
        last,
        (Json{{"setup", 0}, {"provision", 0}, {"firmware_update", 0}, {"test", 3}, {"reserve", 0}, {"cleanup", 0}}));
    EXPECT_THAT(states,
                ElementsAre("setup", "provision", "firmware_update", "test", "allocate", "reserve", "complete"));
}

TEST_F(Protocol, TheJobsStateIsReadBeforeEachPostOfOne) {
    const auto id = run_job(whole_job());

    bool read = false;
    for (const auto& request : requests_of_agent()) {
        if (request["target"] == "/v1/result/" + id + "/status") read = true;
        if (is_poll(request) && request["status"] == 200) read = true;  // nobody can have cancelled it before that
        if (request["target"] != "/v1/result/" + id) continue;
        if (request["method"] != "POST" || !request["body"].contains("job_state")) continue;
        EXPECT_TRUE(read) << request["body"];
        read = false;
    }
}

TEST_F(Protocol, ASmallJobTakesFewRequests) {
    agent.on("firmware_update", "");
    const auto id = run_job({{"provision_data", {{"distro", "noble"}}}, {"test_data", {{"test_cmds", "x"}}}});
    ASSERT_TRUE(server.agent_is(agent_id, "waiting"));

    std::size_t count = 0;
    for (const auto& request : requests_of_agent()) {
        if (is_poll(request)) count = 0;
        // On a busy machine a phase's banner and its output may go one after the other.
        if (request["target"] != "/v1/result/" + id + "/log/output") ++count;
        const auto body = request.value("body", Json::object());
        if (request["target"] == "/v1/result/" + id && body.value("job_state", "") == "complete") break;
    }
    EXPECT_EQ(count, 24U);
}

TEST_F(Protocol, TheJobsStateIsAskedForRarelyWhileAPhaseRuns) {
    auto held = gate();
    agent.on("test", "echo started; " + held.wait_command());
    const auto id = server.post_job(job(small_job()));
    agent.start();
    ASSERT_TRUE(server.shows(id, "test", "started")) << agent.log();
    const auto since = server.requests().back()["number"].get<std::uint64_t>();
    const auto times = [&] {
        std::vector<double> all;
        for (const auto& request : server.requests(since)) {
            const bool asks = request["target"] == "/v1/result/" + id + "/status";
            if (asks && request["client"] == clients::agent) all.push_back(request["time"]);
        }
        return all;
    };
    ASSERT_TRUE(eventually([&] { return times().size() >= 3; })) << agent.log();
    const auto asked = times();
    held.open();
    for (std::size_t i = 1; i < asked.size(); ++i)
        EXPECT_GE(asked[i] - asked[i - 1], 0.4) << "seconds between two requests";
    EXPECT_TRUE(server.reaches(id, "complete"));
}

TEST_F(Protocol, ACancellationIsSeenThoughTheResultShowsALongLogBeforeTheState) {
    agent.on("firmware_update", "seq 1 40000");
    agent.on("test", "echo started; sleep 1000");
    static_cast<void>(server.control("POST", "/settings", {{"result_status", false}}));
    const auto id = server.post_job(job(whole_job()));
    agent.start();
    ASSERT_TRUE(server.shows(id, "test", "started")) << agent.log();
    server.cancel(id);
    ASSERT_TRUE(server.agent_is(agent_id, "waiting")) << agent.log();

    EXPECT_THAT(server.log(id, "test"), HasSubstr("Job cancellation was requested, exiting."));
    EXPECT_EQ(server.job_state(id), "cancelled");
}

TEST_F(Protocol, FragmentsSayTheirPhaseAndTheirTime) {
    const auto id = run_job(whole_job());

    for (const auto& body : posts("/v1/result/" + id + "/log/output")) {
        EXPECT_EQ(body.size(), 4U) << body;
        EXPECT_TRUE(body["fragment_number"].is_number_unsigned());
        EXPECT_THAT(body["phase"].get<std::string>(), MatchesRegex("[a-z_]+"));
        EXPECT_TRUE(std::regex_match(body["timestamp"].get<std::string>(), std::regex(iso_time))) << body;
        EXPECT_NE(body["log_data"], "");
    }
}

TEST_F(Protocol, EachPostOfEventsHoldsTheFormerOnes) {
    agent.on("provision", "exit 1");
    auto fields = whole_job();
    fields["job_status_webhook"] = webhook;
    const auto id = run_job(fields);

    Json last = Json::array();
    for (const auto& body : posts("/v1/job/" + id + "/events")) {
        const auto& events = body["events"];
        ASSERT_EQ(events.size(), last.size() + 1);
        for (std::size_t i = 0; i < last.size(); ++i) EXPECT_EQ(events[i], last[i]);
        last = events;
        EXPECT_TRUE(last.back()["detail"].is_string()) << last.back();
        EXPECT_TRUE(std::regex_match(last.back()["timestamp"].get<std::string>(), std::regex(iso_time))) << last.back();
    }
    ASSERT_FALSE(last.empty());
    EXPECT_EQ(last.back()["event_name"], "job_end");
    EXPECT_EQ(last.back()["detail"], "provision_fail");
}

TEST_F(Protocol, WithoutAWebhookNoEventsAreSent) {
    const auto id = run_job(whole_job());
    EXPECT_TRUE(posts("/v1/job/" + id + "/events").empty());
}

TEST_F(Protocol, DeviceInfoIsPostedOnceEvenIfNoPhaseFollows) {
    agent.on("cleanup", "");
    agent.on("provision", R"(echo '{"device_info": {"device_ip": "192.0.2.7"}}' > device-info.json)");
    const auto id = run_job({{"provision_data", {{"distro", "noble"}}}});

    std::vector<Json> infos;
    for (const auto& body : posts("/v1/result/" + id)) {
        if (body.contains("device_info")) infos.push_back(body["device_info"]);
    }
    EXPECT_THAT(infos, ElementsAre(Json{{"device_ip", "192.0.2.7"}}));
}

TEST_F(Protocol, ASerialLogIsUploadedWhenItsPhaseIsOver) {
    agent.on("provision", "echo boot > provision-serial.log; echo provisioned");
    const auto id = run_job(whole_job());

    std::vector<std::string> order;
    const auto result = "/v1/result/" + id;
    for (const auto& request : requests_of_agent()) {
        if (request["target"] == result + "/log/serial")
            order.push_back("serial " + request["body"].value("phase", ""));
        if (request["target"] == result && request["method"] == "POST" && request["body"].contains("job_state"))
            order.push_back(request["body"]["job_state"]);
    }
    EXPECT_THAT(order, ElementsAre("setup", "provision", "serial provision", "firmware_update", "test", "allocate",
                                   "reserve", "complete"));
    EXPECT_EQ(server.log(id, "provision", "serial"), "boot\n");
}

TEST_F(Protocol, TheProvisionLogNamesWhatHappened) {
    agent.on("provision", R"sh(sh -c "$(sed -n 's/.*"name":"\([^"]*\)".*/\1/p' testflinger.json)")sh");
    for (const auto* command : {"exit 0", "exit 5", "exit 300"}) {
        auto fields = whole_job();
        fields["name"] = command;
        static_cast<void>(run_job(fields));
    }
    std::vector<Json> logs;
    for (const auto& body : posts(std::string("/v1/agents/provision_logs/") + agent_id)) {
        logs.push_back({body["exit_code"], body["detail"]});
    }
    EXPECT_THAT(logs, ElementsAre(Json{0, "provision_success"}, Json{5, "provision_fail"}, Json{44, "provision_fail"}));
}

TEST_F(Protocol, AllThatTheServerSaysOfAJobStandsInItsFile) {
    agent.on("test", "cat testflinger.json");
    const Json fields{{"name", "a job"},
                      {"tags", {"a", "b"}},
                      {"global_timeout", 600},
                      {"output_timeout", 60},
                      {"debug", true},
                      {"allocation_timeout", 90},
                      {"provision_data", {{"distro", "noble"}}},
                      {"reserve_data", {{"ssh_keys", {"lp:me"}}, {"timeout", 60}}},
                      {"test_data", {{"test_cmds", "a\nb ü"}, {"test_username", "tester"}}}};
    const auto id = run_job(fields);

    const auto file = printed(id, "test");
    ASSERT_TRUE(file.is_object()) << server.log(id, "test");
    for (const auto& [key, value] : fields.items()) EXPECT_EQ(file[key], value) << key;
    EXPECT_EQ(file["job_id"], id);
    EXPECT_EQ(file["job_queue"], queue);
    EXPECT_THAT(file["started_at"].get<std::string>(), EndsWith("+00:00Z"))
        << "the server's malformed time must be kept as it is";
}

TEST_F(Protocol, AnUnreadableSecretIsEmptyInTheEnvironmentAndInTheJobFile) {
    server.store_secret("token", "s3cr3t-of-the-lab");
    agent.on("test",
             "echo \"env: ${TOKEN-unset}.\" >&2; sed -n 's/.*\\(\"secrets\":{[^}]*}\\).*/\\1/p' testflinger.json");
    auto fields = small_job();
    fields["test_data"]["secrets"] = {{"TOKEN", "token"}};
    const auto id = server.post_job(job(fields));
    static_cast<void>(server.control("POST", "/settings", {{"secrets_store", false}}));
    agent.start();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();

    EXPECT_THAT(server.log(id, "test"), AllOf(HasSubstr("env: .\n"), HasSubstr(R"("secrets":{"TOKEN":""})")));
}

TEST_F(Protocol, ANullProvisionDataIsNone) {
    auto fields = whole_job();
    fields["provision_data"] = nullptr;
    EXPECT_THAT(ran(run_job(fields)), ElementsAre("setup", "firmware_update", "test", "reserve", "cleanup"));
}

TEST_F(Protocol, SkipLeavesOutEachPhaseByItself) {
    agent.on("allocate", "echo never");
    auto fields = whole_job();
    fields["firmware_update_data"]["skip"] = true;
    fields["allocate_data"] = {{"skip", true}};
    EXPECT_THAT(ran(run_job(fields)), ElementsAre("setup", "provision", "test", "reserve", "cleanup"));
}

TEST_F(Protocol, AFailureOfAnyPhaseButTheTestEndsTheJob) {
    agent.on("firmware_update", "exit 300");
    const auto id = run_job(whole_job());
    EXPECT_THAT(ran(id), ElementsAre("setup", "provision", "firmware_update", "cleanup"));
    EXPECT_EQ(server.result(id)["firmware_update_status"], 44) << "modulo 256";
}

TEST_F(Protocol, AFailureOfAllocateLeavesReserveOut) {
    agent.on("allocate", "exit 7");
    auto fields = whole_job();
    fields["allocate_data"] = {{"allocate", true}};
    const auto id = run_job(fields);
    EXPECT_THAT(ran(id), ElementsAre("setup", "provision", "firmware_update", "test", "allocate", "cleanup"));
}

TEST_F(Protocol, CleanupRunsAfterACrashAndSeesWhatThePhasesLeft) {
    agent.on("test", "kill -SEGV $$");
    agent.on("cleanup", "ls -A; cat testflinger-outcome.json");
    const auto id = run_job(small_job());

    EXPECT_EQ(server.result(id)["test_status"], 245);
    EXPECT_THAT(server.log(id, "cleanup"),
                AllOf(HasSubstr("\nsetup.log\ntest.log\ntestflinger-outcome.json\ntestflinger.json\n"),
                      HasSubstr(R"({"status":{"setup":0,"test":245}})")));
}

TEST_F(Protocol, CommandsAreRunByTheSystemsShell) {
    agent.on("test",
             R"sh(echo "name $0"; test "$(readlink /proc/$$/exe)" = "$(readlink -f /bin/sh)" && echo the same)sh");
    EXPECT_THAT(server.log(run_job(small_job()), "test"), EndsWith("\nname /bin/sh\nthe same\n"));
}

TEST_F(Protocol, ATimeoutIsCountedForEachPhaseByItself) {
    agent.on("test", "sleep 1000");
    agent.on("cleanup", "echo cleaning up");
    auto fields = whole_job();
    fields["global_timeout"] = 5;
    const auto id = run_job(fields);

    EXPECT_THAT(server.log(id, "test"), EndsWith("\nERROR: Global timeout reached! (5s)\n"));
    EXPECT_THAT(ran(id), ElementsAre("setup", "provision", "firmware_update", "test", "reserve", "cleanup"));
    EXPECT_THAT(server.log(id, "cleanup"), EndsWith("cleaning up\n")) << "cleanup has its own timeout of 5 s";
}

TEST_F(Protocol, WithoutMetricsNobodyAsksTheDeviceForItsRelease) {
    const auto ssh = agent.folder().write("ssh", "#!/bin/sh\ntouch \"$TMPDIR/asked\"\n");
    std::filesystem::permissions(ssh, std::filesystem::perms::owner_all);
    agent.set_environment("PATH", agent.folder().path().string() + ":/usr/bin:/bin");
    agent.on("provision", R"(echo '{"device_info": {"device_ip": "192.0.2.7"}}' > device-info.json)");
    const auto id = run_job(whole_job());
    ASSERT_TRUE(server.agent_is(agent_id, "waiting"));

    EXPECT_EQ(server.result(id)["device_info"]["device_ip"], "192.0.2.7");
    EXPECT_FALSE(std::filesystem::exists(agent.folder() / "asked"));
}

TEST_F(Protocol, InfluxIsNotWrittenToAndTheAgentSaysSo) {
    agent.set_environment("INFLUX_HOST", "influx.example");
    agent.start();
    EXPECT_TRUE(agent.logs_text("INFLUX_HOST is set, but nothing is written to InfluxDB")) << agent.log();
    EXPECT_TRUE(agent.is_ready());
}

TEST_F(Protocol, TheConfigurationIsTakenFromTheFolderInWhichTheAgentIsStarted) {
    agent.write_configuration();
    ChildProgram started({TREBUCHET_AGENT,
                          {"--token-file", agent.folder() / "refresh_token"},
                          {{"RUNTIME_DIRECTORY", agent.secrets()}, {"STATE_DIRECTORY", agent.state()}},
                          agent.folder().path()});
    EXPECT_TRUE(server.agent_is(agent_id, "waiting")) << started.err();
}

TEST(ProtocolCommandLine, NamesTheReferencesOptionsAndDefaults) {
    const auto help = run({TREBUCHET_AGENT, {"--help"}}).out;
    EXPECT_THAT(help, AllOf(HasSubstr("-c,--config"), HasSubstr("testflinger-agent.conf"), HasSubstr("--token-file"),
                            HasSubstr("/var/lib/testflinger-agent/refresh_token"), HasSubstr("-p,--metrics_port")));
    EXPECT_THAT(run({TREBUCHET_AGENT, {"--config", "/nowhere/agent.conf"}}).err, HasSubstr("/nowhere/agent.conf"));
}

}  // namespace
}  // namespace trebuchet::harness
