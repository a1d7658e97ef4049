#include "provision/stages/reserve.hpp"

#include "provision/stages/reservation_keys.hpp"
#include "provision/stages/reservation_order.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/temporary_folder.hpp"
#include "tests/provision/support/fakes.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* literal_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBm0pLlpCkMsqd6NTvDLkN5iLkEyPGH me@home";

/// Default results: ssh-import-id writes a key, and the device reports that it was added.
class Reserve : public testing::Test {
  protected:
    void SetUp() override {
        config_.device_ip = "10.0.0.7";
        interrupt_.clock = &clock_;
        std::filesystem::current_path(folder_.path());
        commands_.answer = [this](const Command& command) { return answer(command); };
    }
    void TearDown() override { std::filesystem::current_path("/"); }

    std::optional<CommandResult> answer(const Command& command) {
        if (command.argv.front() == "ssh-import-id" && commands_.results.empty()) {
            folder_.write("key.pub", std::string(literal_key) + " # ssh-import-id " + command.argv.back() + "\n");
        }
        const auto says_added = command.input && command.input->find("add 0") != std::string_view::npos;
        if (says_added && commands_.results.empty()) return CommandResult{CommandExited{0}, "added 0\n"};
        return std::nullopt;
    }
    StageResult run(const std::string& reserve_data) {
        const auto job = JobFile::parse(R"({"job_id": "j-1", "reserve_data": )" + reserve_data + "}", "job.json");
        StageContext context{config_, *job, log_, commands_, interrupt_, clock_, [] { return 0.999999; }, out_};
        return reserve(context);
    }
    /// Without the looks for files of the device's user.
    [[nodiscard]] std::vector<std::string> programs() const {
        std::vector<std::string> names;
        for (std::size_t i = 0; i < commands_.commands.size(); ++i) {
            if (!is_look(commands_.inputs.at(i))) names.push_back(commands_.commands[i].front());
        }
        return names;
    }
    static bool is_look(std::string_view input) { return input.find("trebuchet-extend") != std::string_view::npos; }
    /// What the device's user wants at look number `look`, counted from 1.
    void want_at_look(int look, const std::string& output) {
        commands_.answer = [this, look, output, looks = 0](const Command& command) mutable {
            if (!is_look(command.input.value_or(""))) return answer(command);
            return std::optional<CommandResult>({CommandExited{0}, ++looks == look ? output : ""});
        };
    }
    /// Writes the reservation file during the wait number `waits`.
    void write_order(std::size_t waits, const std::string& text) {
        interrupt_.on_wait = [this, waits, text] {
            if (interrupt_.waits.size() == waits) folder_.write("reservation", text);
        };
    }
    [[nodiscard]] std::chrono::seconds waited() const {
        std::chrono::milliseconds sum{};
        for (const auto wait : interrupt_.waits) sum += wait;
        return std::chrono::duration_cast<std::chrono::seconds>(sum);
    }

    TemporaryFolder folder_;
    FakeClock clock_;
    ConnectorLog log_{clock_, "board-1", -1};
    ConnectorConfig config_;
    FakeCommandRunner commands_;
    FakeInterrupt interrupt_;
    std::ostringstream out_;
};

TEST_F(Reserve, InstallsEachKeyWaitsAndRemovesThem) {
    EXPECT_EQ(run(R"({"ssh_keys": ["lp:a", "gh:b"], "timeout": "1m"})").value(), 0);
    EXPECT_THAT(programs(), ElementsAre("ssh-import-id", "ssh", "ssh-import-id", "ssh", "ssh"));
    EXPECT_THAT(commands_.commands[0], ElementsAre("ssh-import-id", "-o", "key.pub", "lp:a"));
    EXPECT_THAT(commands_.commands[1], testing::Contains("ubuntu@10.0.0.7"));
    EXPECT_THAT(commands_.inputs[1], HasSubstr("# ssh-import-id lp:a"));
    EXPECT_THAT(commands_.inputs.back(), testing::AllOf(HasSubstr("grep -vxF"), HasSubstr("lp:a"), HasSubstr("gh:b")));
    EXPECT_EQ(waited(), 60s);
}

TEST_F(Reserve, AcceptsPublicKeys) {
    EXPECT_EQ(run(std::string(R"({"timeout": 5, "ssh_keys": [")") + literal_key + "\"]}").value(), 0);
    EXPECT_THAT(programs(), ElementsAre("ssh", "ssh"));
    EXPECT_THAT(commands_.inputs[0], HasSubstr(literal_key));
}

TEST_F(Reserve, AcceptsPublicKeysWithBlanksAroundThem) {
    EXPECT_EQ(run(std::string(R"({"timeout": 5, "ssh_keys": [" ssh-ed25519  )") + std::string(literal_key).substr(12) +
                  R"(\n"]})")
                  .value(),
              0);
    EXPECT_THAT(programs(), ElementsAre("ssh", "ssh"));
    EXPECT_THAT(commands_.inputs[0], HasSubstr("'" + std::string(literal_key) + "'"));
}

TEST_F(Reserve, SkipsInvalidKeys) {
    EXPECT_EQ(run(R"({"timeout": 5, "ssh_keys": [null, 7, "ssh-ed25519 short", "two words"]})").value(), 0);
    EXPECT_THAT(commands_.commands, IsEmpty());
}

TEST_F(Reserve, RemovesAKeyThatAFailedTryAdded) {
    commands_.results = {{CommandExited{255}, "added 0\n"}, {CommandExited{0}, ""}};
    EXPECT_EQ(run(std::string(R"({"timeout": 5, "ssh_keys": [")") + literal_key + "\"]}").value(), 0);
    EXPECT_THAT(commands_.inputs.back(), HasSubstr("grep -vxF"));
}

TEST_F(Reserve, KeepsKeysThatWereThereBefore) {
    commands_.answer = nullptr;
    EXPECT_EQ(run(std::string(R"({"timeout": 5, "ssh_keys": [")") + literal_key + "\"]}").value(), 0);
    EXPECT_THAT(programs(), ElementsAre("ssh"));
}

TEST_F(Reserve, IsExtendedThroughItsFile) {
    write_order(2, "extend 1h\n");
    EXPECT_EQ(run(R"({"timeout": 60})").value(), 0);
    EXPECT_EQ(waited(), 3660s);
    EXPECT_THAT(out_.str(), HasSubstr("Reservation expires at: [2027-01-15T09:01:00.000000+00:00]\n"));
    EXPECT_FALSE(std::filesystem::exists("reservation"));
}

TEST_F(Reserve, IsEndedThroughItsFile) {
    write_order(2, "end");
    EXPECT_EQ(run(R"({"timeout": 3600})").value(), 0);
    EXPECT_EQ(waited(), 10s);
}

TEST_F(Reserve, IsEndedFromTheDevice) {
    want_at_look(2, "end\n");
    EXPECT_EQ(run(R"({"timeout": 3600})").value(), 0);
    EXPECT_EQ(waited(), 30s);
}

TEST_F(Reserve, WithoutALimitOfTheLabItHasTheServersDefault) {
    want_at_look(1, "extend 100h\n");
    EXPECT_EQ(run(R"({"timeout": 60})").value(), 0);
    EXPECT_EQ(waited(), 6h);
}

TEST_F(Reserve, IsExtendedFromTheDeviceUpToTheLabsLimit) {
    want_at_look(1, "Welcome to board-1!\nextend 1h\n");
    config_.scalars["max_reserve_timeout"] = "150";
    EXPECT_EQ(run(R"({"timeout": 60})").value(), 0);
    EXPECT_EQ(waited(), 150s);
}

TEST_F(Reserve, TakesNothingElseFromTheDevice) {
    want_at_look(1, "extend $(reboot)\n");
    EXPECT_EQ(run(R"({"timeout": 60})").value(), 0);
    EXPECT_EQ(waited(), 60s);
}

TEST_F(Reserve, ASilentDeviceIsAskedLessOften) {
    commands_.answer = [](const Command&) { return std::optional<CommandResult>({CommandExited{255}, ""}); };
    EXPECT_EQ(run(R"({"timeout": 120})").value(), 0);
    EXPECT_EQ(std::count_if(commands_.inputs.begin(), commands_.inputs.end(), is_look), 2);
}

TEST_F(Reserve, IgnoresAnInvalidOrder) {
    std::filesystem::create_symlink("/etc/hostname", "reservation");
    write_order(3, "prolong 1h");
    EXPECT_EQ(run(R"({"timeout": 60})").value(), 0);
    EXPECT_EQ(waited(), 60s);
    EXPECT_FALSE(std::filesystem::exists("reservation"));
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
              "To end the reservation sooner use: testflinger-cli cancel j-1\n"
              "On the device: write a duration such as 1h into ~/trebuchet-extend, or create ~/trebuchet-end\n"
              "On the agent's host: write \"extend 1h\" or \"end\" into " +
                  (std::filesystem::current_path() / "reservation").string() + "\n");
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
    EXPECT_EQ(waited(), 3600s);
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

TEST_F(Reserve, DoesNotRetryAnUnknownUserAndDoesNotFail) {
    commands_.results = {{CommandExited{1}, "ERROR: Requested user not found: status_code=404"}};
    EXPECT_EQ(run(R"({"ssh_keys": ["lp:nobody", "lp:b"], "timeout": 5})").value(), 0);
    EXPECT_THAT(programs(), ElementsAre("ssh-import-id", "ssh-import-id", "ssh", "ssh"));
    EXPECT_EQ(waited(), 5s);
}

TEST_F(Reserve, DoesNotRetryAMissingProgram) {
    commands_.results = {{CommandNotStarted{ENOENT}, ""}};
    EXPECT_EQ(run(R"({"ssh_keys": ["lp:a"], "timeout": 5})").value(), 0);
    EXPECT_EQ(commands_.commands.size(), 1U);
}

TEST_F(Reserve, TriesToReachTheDeviceTenTimes) {
    commands_.results.assign(10, {CommandExited{255}, "Connection refused"});
    EXPECT_EQ(run(std::string(R"({"timeout": 5, "ssh_keys": [")") + literal_key + "\"]}").value(), 0);
    EXPECT_EQ(commands_.commands.size(), 10U);
    EXPECT_THAT(out_.str(), HasSubstr("RESERVED"));
}

TEST_F(Reserve, RemovesKeysOnAStopSignal) {
    interrupt_.signal = SIGTERM;
    interrupt_.waits_before_signal = 1;
    EXPECT_EQ(run(std::string(R"({"timeout": 3600, "ssh_keys": [")") + literal_key + "\"]}").value(), 143);
    EXPECT_THAT(commands_.inputs.back(), HasSubstr("grep -vxF"));
}

TEST_F(Reserve, AKeyThatLooksLikeAnOptionIsSkipped) {
    EXPECT_EQ(run(R"({"ssh_keys": ["-r", ""], "timeout": 5})").value(), 0);
    EXPECT_THAT(commands_.commands, IsEmpty());
}

TEST_F(Reserve, EndsOnAStopSignal) {
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

TEST(ReservationOrderTest, IsEndOrExtend) {
    EXPECT_TRUE(std::holds_alternative<EndReservation>(*parse_reservation_order(" end\n")));
    EXPECT_EQ(std::get<ExtendReservation>(*parse_reservation_order("extend 2h30m\n")).by, 9000s);
    EXPECT_EQ(std::get<ExtendReservation>(*parse_reservation_order("extend\t90")).by, 90s);
    for (const auto* text : {"", "ends", "extend", "extend ", "extend soon", "extended 1h", "extend -5"}) {
        EXPECT_FALSE(parse_reservation_order(text)) << text;
    }
}

TEST(PublicKey, IsDistinguishedFromAName) {
    EXPECT_TRUE(is_public_key(literal_key));
    EXPECT_TRUE(is_public_key("ssh-rsa " + std::string(400, 'A')));
    const std::string body(68, 'A');
    for (const auto& text : {"lp:me", "ssh-ed25519", "ssh-ed25519 short", "ssh-dss ", ""}) {
        EXPECT_FALSE(is_public_key(text)) << text;
    }
    EXPECT_FALSE(is_public_key("command=\"x\" ssh-ed25519 " + body));
    EXPECT_FALSE(is_public_key("ssh-ed25519 " + body + " x\nssh-rsa " + body));
    EXPECT_FALSE(is_public_key("ssh-ed25519 " + body + "'"));
}

TEST_F(Reserve, ABadReservationIsAJobError) {
    const auto result = run(R"({"timeout": "soon"})");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().name, "JobError");
    EXPECT_EQ(result.error().exit_code, 1);
}

}  // namespace
}  // namespace trebuchet
