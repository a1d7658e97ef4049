// Outlets, against doubles that are processes: plug_double.py, and a uhubctl that keeps its state in a file.

#include "provision/power/make_power.hpp"
#include "provision/power/uhubctl.hpp"
#include "provision/process/posix_command_runner.hpp"
#include "tests/fakes/temporary_folder.hpp"
#include "tests/provision/support/fakes.hpp"
#include "tests/provision/support/program.hpp"

#include <csignal>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

class OutletPowerTest : public testing::Test {
  protected:
    OutletPowerTest() { interrupt_.clock = &clock_; }

    std::unique_ptr<PowerControl> make(const std::string& yaml) {
        const auto config = parse_connector_config(yaml, "default.yaml").value();
        auto made = make_power(config, commands_, {log_, interrupt_, clock_, [] { return 0.0; }});
        if (!made) throw std::runtime_error(made.error().message());
        return std::move(*made);
    }
    /// "http://LOGIN127.0.0.1:PORT" of a double.
    std::string plug(std::vector<std::string> arguments, const std::string& login = "") {
        std::vector<std::string> argv{"/usr/bin/python3", PLUG_DOUBLE};
        argv.insert(argv.end(), arguments.begin(), arguments.end());
        plug_.emplace(std::move(argv), folder_.path());
        EXPECT_TRUE(plug_->wait_for_output(" \n"));
        const auto& out = plug_->out();
        return "http://" + login + "127.0.0.1:" + out.substr(5, out.find(' ', 5) - 5);
    }
    /// Off and on, and each of them, with the state read back.
    void expect_works(PowerControl& power) {
        EXPECT_TRUE(power.cycle());
        EXPECT_EQ(power.state(), PowerState::on);
        EXPECT_TRUE(power.off());
        EXPECT_EQ(power.state(), PowerState::off);
        EXPECT_TRUE(power.on());
        EXPECT_EQ(power.state(), PowerState::on);
    }

    TemporaryFolder folder_;
    FakeClock clock_;
    FakeInterrupt interrupt_;
    SignalInterrupt signals_;
    PosixCommandRunner commands_{signals_};
    ConnectorLog log_{clock_, "board-1", -1};
    std::optional<Program> plug_;
};

TEST_F(OutletPowerTest, SwitchesTasmota) {
    const auto power = make("power: tasmota\npower_url: " + plug({"tasmota"}) + "\npower_outlet: 2\n");
    expect_works(*power);
    EXPECT_THAT(interrupt_.waits, testing::Contains(5s)) << "between off and on";
    plug_->signal(SIGTERM);
    plug_->wait();
    EXPECT_THAT(plug_->out(), HasSubstr("off\non\noff\non\n"));
}

TEST_F(OutletPowerTest, SwitchesTasmotaWithALoginAndOneOutlet) {
    const auto url = plug({"tasmota-login"}, "admin:pa%25ss@");
    expect_works(*make("power: tasmota\npower_url: " + url + "\n"));
}

TEST_F(OutletPowerTest, SwitchesBothGenerationsOfShelly) {
    for (const auto* kind : {"shelly", "shelly-1"}) {
        SCOPED_TRACE(kind);
        expect_works(*make("power: shelly\npower_url: " + plug({kind}) + "/\n"));
    }
}

TEST_F(OutletPowerTest, AnOutletThatTakesTheRequestAndDoesNotSwitchIsAFailure) {
    for (const auto* kind : {"tasmota", "shelly"}) {
        const auto power = make(std::string("power: ") + kind + "\npower_url: " + plug({kind, "stuck"}) + "\n");
        EXPECT_THAT(power->off().error().message, HasSubstr("reads on, expected off"));
        const auto error = power->cycle().error();
        EXPECT_THAT(error.message, HasSubstr("does not read off"));
        EXPECT_EQ(error.kind, PowerError::Kind::failed);
    }
}

TEST_F(OutletPowerTest, SaysWhatIsWrongWithTheConfiguration) {
    const auto url = plug({"tasmota-login"}, "admin:wr0ng@");
    const auto login = make("power: tasmota\npower_url: " + url + "\n")->on().error();
    EXPECT_EQ(login.kind, PowerError::Kind::refused) << "no retry";
    EXPECT_THAT(login.message, HasSubstr("wants a login"));
    EXPECT_THAT(login.message, Not(HasSubstr("wr0ng")));
    const auto outlet = make("power: shelly\npower_url: " + plug({"shelly"}) + "\npower_outlet: 3\n")->on().error();
    EXPECT_THAT(outlet.message, HasSubstr("knows no such outlet"));
    for (const auto* yaml : {"power: tasmota\n", "power: shelly\npower_url: plug\n", "power: uhubctl\n",
                             "power: shelly\npower_url: http://plug\npower_outlet: -1\n",
                             "power: uhubctl\npower_hub: -l\npower_outlet: 1\n"}) {
        EXPECT_THROW(make(yaml), std::runtime_error) << yaml;
    }
}

TEST_F(OutletPowerTest, APlugThatDoesNotAnswerIsAFailure) {
    const auto error = make("power: tasmota\npower_url: http://127.0.0.1:1\n")->on().error();
    EXPECT_EQ(error.kind, PowerError::Kind::failed);
    EXPECT_THAT(error.message, HasSubstr("does not answer"));
}

TEST_F(OutletPowerTest, ToldToStopBetweenOffAndOnItStillSwitchesOn) {
    const auto power = make("power: tasmota\npower_url: " + plug({"tasmota"}) + "\n");
    interrupt_.signal = SIGTERM;
    EXPECT_EQ(power->cycle().error().kind, PowerError::Kind::interrupted);
    plug_->signal(SIGTERM);
    plug_->wait();
    EXPECT_THAT(plug_->out(), testing::EndsWith("off\non\n"));
}

TEST_F(OutletPowerTest, AShellyThatFirstDoesNotAnswerIsTriedAgain) {
    const auto power = make("power: shelly\npower_url: " + plug({"shelly-1", "late"}) + "\n");
    EXPECT_TRUE(power->off());
    EXPECT_EQ(power->state(), PowerState::off);
}

TEST_F(OutletPowerTest, SwitchesAPortOfAHub) {
    const auto state = (folder_ / "state").string();
    folder_.write("uhubctl",
                  "#!/bin/sh\n"
                  "test \"$1 $2 $3 $4\" = '-l 1-1.4 -p 2' || exit 3\n"
                  "old=$(cat " +
                      state +
                      " 2>/dev/null || echo '0507 power highspeed enable connect')\n"
                      "echo \"Current status for hub 1-1.4 [05e3:0608 USB2.0 Hub]\"\necho \"  Port 2: $old\"\n"
                      "case $6 in on) new='0100 power' ;; off) new='0000 off' ;; *) exit 0 ;; esac\n"
                      "echo \"$new\" >" +
                      state +
                      "\n"
                      "echo 'Sent power request'\necho 'New status for hub 1-1.4 [05e3:0608 USB2.0 Hub]'\n"
                      "echo \"  Port 2: $new\"\n");
    std::filesystem::permissions(folder_ / "uhubctl", std::filesystem::perms::owner_all);
    const auto command = "power_command: sh " + (folder_ / "uhubctl").string() + "\n";
    expect_works(*make("power: uhubctl\npower_hub: 1-1.4\npower_outlet: 2\n" + command));
    EXPECT_THAT(make("power: uhubctl\npower_hub: 1-1.4\npower_outlet: 3\n" + command)->on().error().message,
                HasSubstr("exit code 3"));
    const auto missing =
        make("power: uhubctl\npower_hub: 1-1\npower_outlet: 3\npower_command: no-such-uhubctl\n")->on();
    EXPECT_EQ(missing.error().kind, PowerError::Kind::not_installed);
}

TEST(ParseUhubctl, TakesTheNewStateOfThatPort) {
    const std::string output =
        "Current status for hub 1-1 [x]\n  Port 1: 0507 power\n  Port 12: 0000 off\nSent power off request\n"
        "New status for hub 1-1 [x]\n  Port 1: 0000 off\n  Port 12: 0507 power\n";
    EXPECT_EQ(parse_uhubctl(output, "1"), PowerState::off);
    EXPECT_EQ(parse_uhubctl(output, "12"), PowerState::on);
    EXPECT_EQ(parse_uhubctl(output, "2"), PowerState::unknown);
    EXPECT_EQ(parse_uhubctl("Port 2: ", "2"), PowerState::unknown);
}

}  // namespace
}  // namespace trebuchet
