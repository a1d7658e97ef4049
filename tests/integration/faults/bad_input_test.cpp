#include "tests/integration/harness/lab_test.hpp"

namespace trebuchet::harness {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// Hostile input to the agent, from a phase or from the job's author.
class BadInput : public LabTest {
  protected:
    BadInput() { agent.on("test", "echo tested"); }
    /// Runs a job whose provision phase runs `command`, which writes device-info.json.
    std::string run_job_leaving(const std::string& command) {
        agent.on("provision", command);
        return run_job({{"provision_data", {{"distro", "noble"}}}, {"test_data", {{"test_cmds", "x"}}}});
    }
    void expect_refused_device_info(const std::string& command) {
        const auto id = run_job_leaving(command);
        EXPECT_THAT(agent.log(), HasSubstr("the device info is not sent: "));
        EXPECT_THAT(agent.log(), HasSubstr("device-info.json"));
        EXPECT_FALSE(server.result(id).contains("device_info"));
        EXPECT_THAT(server.log(id, "test"), HasSubstr("tested\n"));
    }
};

TEST_F(BadInput, ADeviceInfoThatIsAFifoIsRefusedByName) {
    expect_refused_device_info("mkfifo device-info.json");
}

TEST_F(BadInput, ADeviceInfoThatIsALinkToTheTokenFileIsRefusedByName) {
    const auto token = text_of(agent.folder() / "refresh_token");
    expect_refused_device_info("ln -s " + (agent.folder() / "refresh_token").string() + " device-info.json");
    EXPECT_THAT(Json(server.requests()).dump(), Not(HasSubstr(Json::parse(token)["refresh_token"].get<std::string>())));
}

TEST_F(BadInput, ADeviceInfoOfTenGigabytesIsRefusedByName) {
    expect_refused_device_info("truncate -s 10G device-info.json");
}

TEST_F(BadInput, AJobWithFieldsOfAnotherTypeIsReportedAsFailedAndTheAgentPollsOn) {
    const auto id = server.post_job(job({{"test_data", {{"test_cmds", "x"}}}}));
    static_cast<void>(server.control(
        "POST", "/faults", {{"what", "wrong-types"}, {"method", "GET"}, {"target", "/v1/job"}, {"count", 1}}));
    agent.start();
    ASSERT_TRUE(server.reaches(id, "complete")) << agent.log();
    EXPECT_THAT(server.log(id, "setup"), HasSubstr("ERROR: the job cannot be run: the job's "));
    const auto next = server.post_job(job({{"test_data", {{"test_cmds", "x"}}}}));
    EXPECT_TRUE(server.reaches(next, "complete")) << agent.log();
}

}  // namespace
}  // namespace trebuchet::harness
