#include "provision/connectors/leftovers.hpp"

#include "provision/process/posix_command_runner.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

/// The real script, on this machine.
class Leftovers : public testing::Test {
  protected:
    static void SetUpTestSuite() { SignalInterrupt::block_signals(); }

    std::unique_ptr<RunningCommand> start(const std::string& mark, const std::vector<std::string>& argv) {
        auto environment = Environment::inherited();
        environment.set("LC_TREBUCHET", mark);
        Command command{argv};
        command.environment = &environment;
        auto started = runner_.start(command, Piped::input);
        if (!started) throw std::runtime_error("cannot start " + argv.front());
        return std::move(*started);
    }
    CommandResult end(const std::string& mark, const std::string& disk = "", const std::string& program = "") {
        auto environment = Environment::inherited();
        environment.set("LC_TREBUCHET", mark);
        const auto script = end_leftovers_script(mark, disk, 5s, program);
        Command command{{"/bin/sh", "-s"}, &environment, 60s, true};
        command.input = script;
        return runner_.run(command);
    }

    TemporaryFolder folder_;
    /// Nobody else's.
    std::string device_ = new_mark("board").substr(6);
    SignalInterrupt interrupt_;
    PosixCommandRunner runner_{interrupt_};
};

TEST_F(Leftovers, OfAnEarlierUseOfTheDeviceAreEndedAndNoOthers) {
    const auto earlier = start(device_ + ":1", {"sleep", "1000"});
    const auto ours = start(device_ + ":2", {"sleep", "1000"});
    const auto neighbour = start(device_ + "x:1", {"sleep", "1000"});
    const auto result = end(device_ + ":2");
    EXPECT_TRUE(succeeded(result)) << result.output;
    EXPECT_THAT(result.output, HasSubstr("ending what was left running"));
    EXPECT_TRUE(earlier->wait_for(10s));
    EXPECT_FALSE(ours->wait_for(0ms));
    EXPECT_FALSE(neighbour->wait_for(0ms));
    EXPECT_EQ(end(device_ + ":2").output, "");
}

TEST_F(Leftovers, AWriterOfTheDiskIsEndedWhoeverStartedIt) {
    const auto disk = (folder_ / "disk").string();
    const auto writer = start("", {"dd", "of=" + disk, "bs=16M"});
    const auto other = start("", {"dd", "of=" + disk + "2", "bs=16M"});
    const auto result = end(device_ + ":2", disk);
    EXPECT_TRUE(succeeded(result)) << result.output;
    EXPECT_TRUE(writer->wait_for(10s));
    EXPECT_FALSE(other->wait_for(0ms));
}

TEST_F(Leftovers, AProgramOfTheDeviceIsEndedWithoutAMark) {
    const auto name = "installer-" + device_;
    folder_.write(name, "#!/bin/sh\nsleep 1000\n");
    const auto program = (folder_ / name).string();
    std::filesystem::permissions(program, std::filesystem::perms::owner_all);
    const auto script = start("", {program, "url"});
    const auto by_timeout = start("", {"timeout", "1000", "/bin/sh", "-c", "sleep 1000; :", name});
    const auto other = start("", {"sleep", "1000"});
    const auto result = end(device_ + ":2", "", name);
    EXPECT_TRUE(succeeded(result)) << result.output;
    EXPECT_TRUE(script->wait_for(10s));
    EXPECT_TRUE(by_timeout->wait_for(10s));
    EXPECT_FALSE(other->wait_for(0ms));
}

TEST_F(Leftovers, MarksAreHarmlessWords) {
    EXPECT_THAT(new_mark("a b$(x)'/"), testing::MatchesRegex("a_b__x___:[0-9a-f]{12}"));
    EXPECT_NE(new_mark("a"), new_mark("a"));
}

}  // namespace
}  // namespace trebuchet
