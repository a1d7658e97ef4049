#include "provision/power/make_power.hpp"

#include "provision/process/posix_command_runner.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/loopback_server.hpp"
#include "tests/provision/support/fakes.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class MakePower : public testing::Test {
  protected:
    Result<std::unique_ptr<PowerControl>> make(const std::string& yaml) {
        const auto config = parse_connector_config(yaml, "default.yaml").value();
        return make_power(config, commands_, {log_, interrupt_, clock_, [] { return 0.0; }});
    }
    std::string error_of(const std::string& yaml) {
        const auto made = make(yaml);
        return made ? "" : made.error().message();
    }

    FakeClock clock_;
    FakeInterrupt interrupt_;
    ConnectorLog log_{clock_, "board-1", -1};
    FakeCommandRunner commands_;
};

TEST_F(MakePower, UsesTheScriptsByDefault) {
    ASSERT_TRUE(make("reboot_script: [pdu cycle]\n").value()->cycle());
    EXPECT_THAT(commands_.commands, ElementsAre(ElementsAre("pdu", "cycle")));
}

TEST_F(MakePower, SwitchesByPduDaemonWithoutShowingTheUrl) {
    const auto power = make(
                           "power: pdudaemon\npower_url: http://user:s3cret@pdu:16421/\npower_unit: pdu 1\n"
                           "power_outlet: 4\npower_delay: 3\n")
                           .value();
    ASSERT_TRUE(power->off());
    ASSERT_TRUE(power->cycle());
    ASSERT_EQ(commands_.inputs.size(), 2U);
    EXPECT_THAT(commands_.inputs[0], HasSubstr("/power/control/off?hostname=pdu%201&port=4&delay=0"));
    EXPECT_THAT(commands_.inputs[1], HasSubstr("/power/control/reboot?hostname=pdu%201&port=4&delay=3"));
    for (const auto& argv : commands_.commands) {
        for (const auto& word : argv) EXPECT_THAT(word, Not(HasSubstr("pdu")));
    }
    EXPECT_THAT(interrupt_.waits, ElementsAre(3s, 6s)) << "it has only accepted the request";
}

TEST_F(MakePower, EncodesThePduDaemonRequest) {
    const LoopbackServer pdu(always(ok("OK - accepted request\n")));
    SignalInterrupt signals;
    PosixCommandRunner commands(signals);
    const auto config =
        parse_connector_config("power: pdudaemon\npower_unit: pdu1\npower_outlet: 4\npower_url: " + pdu.origin(), "f")
            .value();
    const auto power = make_power(config, commands, {log_, interrupt_, clock_, [] { return 0.0; }}).value();
    const auto done = power->on();
    ASSERT_TRUE(done) << done.error().message;
    ASSERT_EQ(pdu.requests().size(), 1U);
    EXPECT_EQ(pdu.requests()[0].line(), "GET /power/control/on?hostname=pdu1&port=4&delay=0 HTTP/1.1");
}

TEST_F(MakePower, ReportsPduDaemonsError) {
    commands_.results.assign(4, {CommandExited{22}, "Invalid request: pdu not found\n"});
    const auto done =
        make("power: pdudaemon\npower_url: http://user:s3cret@pdu\npower_unit: x\npower_outlet: 1\n").value()->on();
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().message, HasSubstr("pdu not found"));
    EXPECT_THAT(done.error().message, Not(HasSubstr("s3cret")));
    EXPECT_EQ(commands_.commands.size(), 4U);
}

TEST_F(MakePower, NamesTheMissingKeys) {
    EXPECT_THAT(error_of("power: pdudaemon\n"), HasSubstr("needs power_url"));
    EXPECT_THAT(error_of("power: pdudaemon\npower_url: u\npower_unit: x\npower_outlet: 1\npower_delay: x\n"),
                HasSubstr("power_delay"));
    EXPECT_THAT(error_of("power: qmp\n"), HasSubstr("needs power_socket"));
    EXPECT_THAT(error_of("power: nuclear\n"), HasSubstr("found \"nuclear\""));
    EXPECT_EQ(error_of("power: qmp\npower_socket: /run/qmp\n"), "");
}

}  // namespace
}  // namespace trebuchet
