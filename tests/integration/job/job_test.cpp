#include "tests/integration/harness/lab_test.hpp"

#include <sys/stat.h>

namespace trebuchet::harness {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;

namespace fs = std::filesystem;

constexpr const char* secret = "s3cr3t-of-the-lab";
constexpr const char* mask_pattern = "\\*\\*[0-9a-f]{6}\\*\\*";

/// A job whose phases print, store and report a secret. The test phase waits for the gate after its first line.
class JobWithSecret : public LabTest {
  protected:
    JobWithSecret() {
        server.store_secret("lab/token", secret);
        agent.configure(
            {{"identifier", "C-1"}, {"location", "bench 1"}, {"provision_type", "fake"}, {"logging_level", "DEBUG"}});
        agent.on("setup", "echo setting up");
        agent.on("provision", R"(echo "fetching with $TOKEN"; echo "boot: $TOKEN" > provision-serial.log
            printf '{"device_info": {"device_ip": "10.0.0.9", "note": "%s"}}' "$TOKEN" > device-info.json)");
        agent.on("test", R"(printf 'signing in with %s\n' "$TOKEN"; )" + gate_.wait_command() + R"(
            printf 'cut in two: %s' s3cr3t-o; )" +
                             gate_.wait_command() + R"(; echo f-the-lab
            mkdir artifacts; echo "report by $TOKEN" > artifacts/report.txt
            echo "login: $TOKEN" > test-serial.log; echo done)");
        agent.on("cleanup", "echo tidying up");
    }

    static Json fields() {
        return {{"provision_data", {{"distro", "noble"}}},
                {"test_data", {{"test_cmds", "see test_command"}, {"secrets", {{"TOKEN", "lab/token"}}}}},
                {"job_status_webhook", webhook}};
    }

    /// Posts the job, starts the agent and waits for the first line of the test phase.
    void start() {
        id_ = server.post_job(job(fields()));
        agent.start();
        ASSERT_TRUE(server.shows(id_, "test", "signing in with **")) << agent.log();
    }

    void finish() {
        gate_.open();
        gate_.open();
        ASSERT_TRUE(server.reaches(id_, "complete")) << agent.log();
        ASSERT_TRUE(server.agent_is(agent_id, "waiting")) << agent.log();
    }

    void start_and_finish() {
        ASSERT_NO_FATAL_FAILURE(start());
        ASSERT_NO_FATAL_FAILURE(finish());
    }

    Gate gate_ = gate();
    std::string id_;
};

TEST_F(JobWithSecret, ShowsMaskedOutputAtTheServerWhileThePhaseStillRuns) {
    ASSERT_NO_FATAL_FAILURE(start());

    EXPECT_THAT(server.log(id_, "test"), MatchesRegex("(.|\n)*signing in with " + std::string(mask_pattern) + "\n"));
    EXPECT_EQ(server.job_state(id_), "test");
    EXPECT_FALSE(server.result(id_).contains("test_status"));
}

TEST_F(JobWithSecret, MasksASecretThatIsWrittenInTwoPieces) {
    ASSERT_NO_FATAL_FAILURE(start());
    gate_.open();
    ASSERT_TRUE(server.shows(id_, "test", "cut in two: "));
    EXPECT_THAT(server.log(id_, "test"), Not(HasSubstr("s3cr3t")));
    gate_.open();
    ASSERT_TRUE(server.reaches(id_, "complete")) << agent.log();

    EXPECT_THAT(server.log(id_, "test"), MatchesRegex("(.|\n)*cut in two: " + std::string(mask_pattern) + "\ndone\n"));
}

TEST_F(JobWithSecret, ReportsTheExitCodeOfEachPhaseThatRan) {
    ASSERT_NO_FATAL_FAILURE(start_and_finish());

    const auto result = server.result(id_);
    EXPECT_EQ(result["setup_status"], 0);
    EXPECT_EQ(result["provision_status"], 0);
    EXPECT_EQ(result["test_status"], 0);
    EXPECT_EQ(result["cleanup_status"], 0);
    EXPECT_FALSE(result.contains("firmware_update_status"));
    EXPECT_FALSE(result.contains("allocate_status"));
    EXPECT_FALSE(result.contains("reserve_status"));
}

TEST_F(JobWithSecret, SendsMaskedDeviceInfoSerialLogAndArtifacts) {
    ASSERT_NO_FATAL_FAILURE(start_and_finish());

    const auto info = server.result(id_)["device_info"];
    EXPECT_EQ(info["device_ip"], "10.0.0.9");
    EXPECT_THAT(info["note"].get<std::string>(), MatchesRegex(mask_pattern));
    const auto mask = info["note"].get<std::string>();
    EXPECT_EQ(server.log(id_, "provision", "serial"), "boot: " + mask + "\n");
    EXPECT_EQ(server.log(id_, "test", "serial"), "login: " + mask + "\n");
    const auto files = server.artifacts(id_);
    ASSERT_EQ(files.size(), 1U);
    EXPECT_THAT(files.begin()->first, ::testing::EndsWith("report.txt"));
    EXPECT_EQ(files.begin()->second, "report by " + mask + "\n");
}

TEST_F(JobWithSecret, PutsTheBannerBeforeEachPhase) {
    ASSERT_NO_FATAL_FAILURE(start_and_finish());

    const std::string title = "* Starting testflinger setup phase on board-1 *";
    const std::string frame(title.size(), '*');
    EXPECT_EQ(server.log(id_, "setup"), frame + "\n" + title + "\n" + frame + "\nsetting up\n");
}

TEST_F(JobWithSecret, NumbersTheFragmentsOfEachSeriesFromZeroOverTheWholeJob) {
    ASSERT_NO_FATAL_FAILURE(start_and_finish());

    std::map<std::string, int> next{{"output", 0}, {"serial", 0}};
    for (const auto& request : server.requests()) {
        for (auto& [series, number] : next) {
            if (request["target"] == "/v1/result/" + id_ + "/log/" + series) {
                EXPECT_EQ(request["body"]["fragment_number"], number++) << series;
            }
        }
    }
    EXPECT_GE(next["output"], 4);
    EXPECT_GE(next["serial"], 2);
}

TEST_F(JobWithSecret, TellsTheWebhookOfEachStep) {
    ASSERT_NO_FATAL_FAILURE(start_and_finish());

    Json last;
    for (const auto& request : server.requests()) {
        if (request["target"] == "/v1/job/" + id_ + "/events") last = request["body"];
    }
    EXPECT_EQ(last["agent_id"], agent_id);
    EXPECT_EQ(last["job_queue"], queue);
    EXPECT_EQ(last["job_status_webhook"], webhook);
    std::vector<std::string> names;
    for (const auto& event : last["events"]) names.push_back(event["event_name"]);
    EXPECT_THAT(names, ElementsAre("job_start", "setup_start", "setup_success", "provision_start", "provision_success",
                                   "firmware_update_start", "firmware_update_success", "test_start", "test_success",
                                   "allocate_start", "allocate_success", "reserve_start", "reserve_success",
                                   "cleanup_start", "cleanup_success", "job_end", "secrets_masked"));
    EXPECT_EQ(last["events"][0]["detail"], server.url() + "/jobs/" + id_);
    EXPECT_EQ(last["events"][15]["detail"], "normal_exit");
    EXPECT_THAT(last["events"][16]["detail"], HasSubstr("test: TOKEN (as it is): 2 times\n"));
}

TEST_F(JobWithSecret, PostsTheProvisionLog) {
    ASSERT_NO_FATAL_FAILURE(start_and_finish());

    Json logs = Json::array();
    for (const auto& request : server.requests()) {
        if (request["target"] == std::string("/v1/agents/provision_logs/") + agent_id) logs.push_back(request["body"]);
    }
    EXPECT_EQ(logs, Json::array({{{"job_id", id_}, {"exit_code", 0}, {"detail", "provision_success"}}}));
}

TEST_F(JobWithSecret, SaysWhoTheAgentIsAndWhichJobItHas) {
    ASSERT_NO_FATAL_FAILURE(start());

    ASSERT_TRUE(server.agent_is(agent_id, "test")) << agent.log();
    const auto busy = server.agent(agent_id);
    EXPECT_EQ(busy["job_id"], id_);
    EXPECT_EQ(busy["queues"], Json::array({queue}));
    EXPECT_EQ(busy["identifier"], "C-1");
    EXPECT_EQ(busy["location"], "bench 1");
    EXPECT_EQ(busy["provision_type"], "fake");
    ASSERT_NO_FATAL_FAILURE(finish());
    EXPECT_EQ(server.agent(agent_id)["job_id"], "");
}

TEST_F(JobWithSecret, SendsTheSecretNowhere) {
    ASSERT_NO_FATAL_FAILURE(start_and_finish());

    EXPECT_THAT(server.requests().dump(), Not(HasSubstr(secret)));
    EXPECT_THAT(server.result(id_).dump(), Not(HasSubstr(secret)));
}

TEST_F(JobWithSecret, KeepsTheSecretOutOfTheAgentsOwnLog) {
    ASSERT_NO_FATAL_FAILURE(start_and_finish());

    EXPECT_THAT(agent.log(), HasSubstr(id_));
    EXPECT_THAT(agent.log(), Not(HasSubstr(secret)));
}

TEST_F(JobWithSecret, KeepsTheSecretOffTheDiskWhileTheJobRuns) {
    ASSERT_NO_FATAL_FAILURE(start());

    const auto holding = agent.files_holding(secret);
    const auto run = agent.runs() / id_;
    const auto job_file = agent.secrets() / id_ / "testflinger.json";
    EXPECT_THAT(holding, ElementsAre(run / "device-info.json", run / "provision-serial.log",
                                     agent.secrets() / id_ / "recovery", job_file))
        << "the phase itself wrote the first two files";
    struct stat file {};
    ASSERT_EQ(::stat(job_file.c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 0777U, 0600U);
    ASSERT_EQ(::stat(agent.secrets().c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 0777U, 0700U);
}

TEST_F(JobWithSecret, LeavesNoFileBehindThatHoldsTheSecret) {
    ASSERT_NO_FATAL_FAILURE(start_and_finish());

    EXPECT_THAT(agent.files_holding(secret), IsEmpty());
    EXPECT_THAT(everything_in(agent.secrets()), IsEmpty());
    EXPECT_THAT(everything_in(agent.runs()), IsEmpty());
    EXPECT_THAT(everything_in(agent.jobs()), IsEmpty());
}

TEST_F(JobWithSecret, ShowsTheSecretInNoProcessesArguments) {
    ASSERT_NO_FATAL_FAILURE(start());

    EXPECT_THAT(processes_with_argument(secret), IsEmpty());
    EXPECT_THAT(processes_with_argument("lab-agent"), IsEmpty())
        << "a client id, and so a token, is visible in an argument";
}

TEST_F(LabTest, MasksTheSecretInWhatAFailedConnectorSays) {
    server.store_secret("lab/token", secret);
    agent.on("provision", R"(
        printf '{"provision_exception_info": {"exception_name": "BootError", "exception_message": "no login as %s",
                 "exception_cause": null}}' "$TOKEN" > device-connector-error.json; exit 1)");
    const auto id = run_job({{"provision_data", {{"distro", "noble"}}},
                             {"test_data", {{"test_cmds", "x"}, {"secrets", {{"TOKEN", "lab/token"}}}}},
                             {"job_status_webhook", webhook}});

    const auto requests = server.requests().dump();
    EXPECT_THAT(requests, HasSubstr("BootError: no login as **"));
    EXPECT_THAT(requests, Not(HasSubstr(secret)));
}

TEST_F(LabTest, RunsAJobThroughTheRealDeviceConnector) {
    server.store_secret("lab/token", secret);
    const auto settings = agent.folder().write("default.yaml", "agent_name: board-1\ndevice_ip: 10.0.0.9\n");
    const auto stage = [&](const std::string& name) {
        return std::string("exec ") + TREBUCHET_PROVISION + " fake_connector " + name + " -c " + settings.string() +
               " testflinger.json";
    };
    for (const auto* name : {"provision", "firmware_update", "cleanup"}) agent.on(name, stage(name));
    agent.on("test", stage("runtest"));
    const auto id = run_job({{"provision_data", {{"distro", "an image"}}},
                             {"test_data",
                              {{"test_cmds",
                                "echo signing in with $TOKEN at $DEVICE_IP\n"
                                "mkdir artifacts; echo by $TOKEN > artifacts/report; exit 3"},
                               {"secrets", {{"TOKEN", "lab/token"}}}}}});

    const auto result = server.result(id);
    EXPECT_EQ(result["provision_status"], 0);
    EXPECT_EQ(result["test_status"], 3);
    EXPECT_EQ(result["device_info"]["device_ip"], "10.0.0.9");
    EXPECT_THAT(server.log(id, "provision"), HasSubstr("an image"));
    EXPECT_THAT(server.log(id, "test"), HasSubstr("signing in with **"));
    EXPECT_THAT(server.log(id, "test"), HasSubstr("** at 10.0.0.9\n"));
    EXPECT_THAT(server.requests().dump(), Not(HasSubstr(secret)));
    ASSERT_EQ(server.artifacts(id).size(), 1U);
    EXPECT_THAT(server.artifacts(id).begin()->second, HasSubstr("by **"));
}

TEST_F(LabTest, SendsAllOfALongOutputInOrder) {
    agent.on("test", "seq 1 200000");
    const auto id = run_job({{"test_data", {{"test_cmds", "x"}}}});

    std::string expected;
    for (int line = 1; line <= 200000; ++line) expected += std::to_string(line) + "\n";
    const auto log = server.log(id, "test");
    const auto start = log.find("\n1\n");
    ASSERT_NE(start, std::string::npos);
    EXPECT_TRUE(log.substr(start + 1) == expected);
}

TEST_F(LabTest, SendsBytesThatAreNotUtf8AsReplacementCharacters) {
    agent.on("test", R"(printf 'a\377b\303\244c\303')");
    const auto id = run_job({{"test_data", {{"test_cmds", "x"}}}});

    EXPECT_THAT(server.log(id, "test"), ::testing::EndsWith("a\xEF\xBF\xBD"
                                                            "b\xC3\xA4"
                                                            "c\xEF\xBF\xBD"));
}

TEST_F(LabTest, TakesTheNextJobWhenOneIsDone) {
    agent.on("test", "cat testflinger.json");
    const auto first = run_job({{"test_data", {{"test_cmds", "the first"}}}});
    const auto second = run_job({{"test_data", {{"test_cmds", "the second"}}}});

    EXPECT_THAT(server.log(first, "test"), HasSubstr("the first"));
    EXPECT_THAT(server.log(second, "test"), HasSubstr("the second"));
    EXPECT_TRUE(server.agent_is(agent_id, "waiting"));
}

}  // namespace
}  // namespace trebuchet::harness
