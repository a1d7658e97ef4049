#include "provision/stages/reserve.hpp"

#include "tests/fakes/fake_clock.hpp"
#include "tests/provision/support/fakes.hpp"

#include <csignal>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Reserve : public testing::Test {
  protected:
    void SetUp() override { config_.device_ip = "10.0.0.7"; }
    StageResult run(const std::string& reserve_data) {
        const auto job = JobFile::parse(R"({"job_id": "j-1", "reserve_data": )" + reserve_data + "}", "job.json");
        StageContext context{config_, *job, log_, commands_, interrupt_, clock_, [] { return 0.999999; }, out_};
        return reserve(context);
    }
    [[nodiscard]] std::vector<std::string> programs() const {
        std::vector<std::string> names;
        for (const auto& argv : commands_.commands) names.push_back(argv.front());
        return names;
    }

    FakeClock clock_;
    ConnectorLog log_{clock_, "board-1", -1};
    ConnectorConfig config_;
    FakeCommandRunner commands_;
    FakeInterrupt interrupt_;
    std::ostringstream out_;
};

TEST_F(Reserve, InstallsEachKeyAndWaits) {
    EXPECT_EQ(run(R"({"ssh_keys": ["lp:a", "gh:b"], "timeout": "1m"})").value(), 0);
    EXPECT_THAT(commands_.commands,
                ElementsAre(ElementsAre("ssh-import-id", "-o", "key.pub", "lp:a"),
                            ElementsAre("ssh-copy-id", "-f", "-i", "key.pub", "-o", "StrictHostKeyChecking=no", "-o",
                                        "UserKnownHostsFile=/dev/null", "ubuntu@10.0.0.7"),
                            ElementsAre("ssh-import-id", "-o", "key.pub", "gh:b"), testing::_));
    EXPECT_THAT(interrupt_.waits, ElementsAre(60s));
}

TEST_F(Reserve, SaysHowToReachTheDeviceAndWhenItEnds) {
    config_.serial_host = "ser2net";
    config_.serial_port = 2001;
    ASSERT_TRUE(run(R"({"timeout": 3600})"));
    EXPECT_EQ(out_.str(),
              "*** TESTFLINGER SYSTEM RESERVED ***\n"
              "You can now connect to ubuntu@10.0.0.7\n"
              "Serial access is available via: telnet ser2net 2001\n"
              "Current time:           [2027-01-15T08:00:00.000000+00:00]\n"
              "Reservation expires at: [2027-01-15T09:00:00.000000+00:00]\n"
              "Reservation will automatically timeout in 3600 seconds\n"
              "To end the reservation sooner use: testflinger-cli cancel j-1\n");
}

TEST_F(Reserve, UsesThePortOfTheDevice) {
    config_.device_port = 2222;
    ASSERT_TRUE(run(R"({"ssh_keys": ["lp:a"]})"));
    EXPECT_THAT(commands_.commands.at(1), testing::Contains("-p"));
    EXPECT_THAT(commands_.commands.at(1), testing::Contains("2222"));
    EXPECT_THAT(out_.str(), HasSubstr("You can now connect to ubuntu@10.0.0.7 on port 2222\n"));
}

TEST_F(Reserve, WithoutADeviceIpOnlyWaits) {
    config_.device_ip.clear();
    EXPECT_EQ(run(R"({"ssh_keys": ["lp:a"]})").value(), 0);
    EXPECT_THAT(commands_.commands, IsEmpty());
    EXPECT_THAT(out_.str(), Not(HasSubstr("connect")));
    EXPECT_THAT(interrupt_.waits, ElementsAre(3600s));
}

TEST_F(Reserve, TriesToImportAKeyTenTimesWithGrowingWaits) {
    commands_.results.assign(10, {CommandTimedOut{}, ""});
    EXPECT_EQ(run(R"({"ssh_keys": ["lp:a"], "timeout": 5})").value(), 0);
    EXPECT_EQ(commands_.commands.size(), 10U);
    ASSERT_EQ(interrupt_.waits.size(), 10U);
    EXPECT_LE(interrupt_.waits[0], 1s);
    EXPECT_GT(interrupt_.waits[5], 30s);
    EXPECT_LE(interrupt_.waits[8], 100s);
    EXPECT_EQ(interrupt_.waits[9], 5s);
}

TEST_F(Reserve, AnUnknownUserIsNotTriedAgainAndDoesNotFailTheStage) {
    commands_.results = {{CommandExited{1}, "ERROR: Requested user not found: status_code=404"}};
    EXPECT_EQ(run(R"({"ssh_keys": ["lp:nobody", "lp:b"], "timeout": 5})").value(), 0);
    EXPECT_THAT(programs(), ElementsAre("ssh-import-id", "ssh-import-id", "ssh-copy-id"));
    EXPECT_THAT(interrupt_.waits, ElementsAre(5s));
}

TEST_F(Reserve, AMissingProgramIsNotTriedAgain) {
    commands_.results = {{CommandNotStarted{ENOENT}, ""}};
    EXPECT_EQ(run(R"({"ssh_keys": ["lp:a"], "timeout": 5})").value(), 0);
    EXPECT_EQ(commands_.commands.size(), 1U);
}

TEST_F(Reserve, TriesToCopyAKeyTenTimes) {
    commands_.results.assign(11, {CommandExited{1}, ""});
    commands_.results.front() = {CommandExited{0}, ""};
    EXPECT_EQ(run(R"({"ssh_keys": ["lp:a"], "timeout": 5})").value(), 0);
    EXPECT_EQ(commands_.commands.size(), 11U);
    EXPECT_THAT(out_.str(), HasSubstr("RESERVED"));
}

TEST_F(Reserve, AKeyThatLooksLikeAnOptionIsSkipped) {
    EXPECT_EQ(run(R"({"ssh_keys": ["-r", ""], "timeout": 5})").value(), 0);
    EXPECT_THAT(commands_.commands, IsEmpty());
}

TEST_F(Reserve, EndsWhenToldToStop) {
    interrupt_.signal = SIGTERM;
    EXPECT_EQ(run(R"({"timeout": 3600})").value(), 143);
}

TEST_F(Reserve, AnnouncesNothingWhenStoppedBetweenTries) {
    commands_.results.assign(10, {CommandExited{1}, ""});
    interrupt_.signal = SIGTERM;
    interrupt_.waits_before_signal = 1;
    EXPECT_EQ(run(R"({"ssh_keys": ["lp:a"]})").value(), 143);
    EXPECT_EQ(commands_.commands.size(), 2U);
    EXPECT_EQ(out_.str(), "");
}

TEST_F(Reserve, ABadReservationIsAJobError) {
    const auto result = run(R"({"timeout": "soon"})");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().name, "JobError");
    EXPECT_EQ(result.error().exit_code, 1);
}

}  // namespace
}  // namespace trebuchet
