#include "agent/cli/status_command.hpp"

#include "common/process/process_tree.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <chrono>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;
using testing::Not;

namespace fs = std::filesystem;

/// A host with agents that this test's process stands for.
class StatusCommand : public testing::Test {
  protected:
    StatusCommand() {
        options_.folder = root_ / "status";
        options_.root = root_.path();
        fs::create_directories(options_.folder);
    }
    fs::path show(const std::string& name, const AgentStatus& status) { return show(name, status_json(status)); }
    fs::path show(const std::string& name, const std::string& text) {
        fs::create_directories(options_.folder / name);
        return root_.write("status/" + name + "/status.json", text);
    }
    static AgentStatus alive() {
        AgentStatus status;
        status.state = "waiting";
        status.pid = ::getpid();
        status.start_time = read_process_stat(::getpid())->start_time;
        return status;
    }
    int run() {
        testing::internal::CaptureStdout();
        testing::internal::CaptureStderr();
        const int code = status_command(options_);
        told_ = testing::internal::GetCapturedStdout() + testing::internal::GetCapturedStderr();
        return code;
    }
    [[nodiscard]] Health health(const std::string& name) const {
        const auto rows = agents_of_host(options_).value();
        for (const auto& row : rows) {
            if (row.name == name) return row.health;
        }
        return Health::unknown;
    }

    TemporaryFolder root_;
    StatusOptions options_;
    std::string told_;
};

TEST_F(StatusCommand, TellsAgentsThatRunFromThoseThatDoNot) {
    show("good", alive());
    EXPECT_EQ(run(), 0);
    EXPECT_THAT(told_, HasSubstr("good   waiting"));
    auto later = alive();
    ++later.start_time;  // another process has this pid now
    show("dead", later);
    fs::last_write_time(show("hangs", alive()), fs::file_time_type::clock::now() - std::chrono::minutes(2));
    auto stopped = later;
    stopped.state = stopped_state;
    show("stopped", stopped);
    EXPECT_EQ(run(), 1);
    EXPECT_EQ(health("good"), Health::running);
    EXPECT_EQ(health("dead"), Health::dead);
    EXPECT_EQ(health("hangs"), Health::hangs);
    EXPECT_EQ(health("stopped"), Health::stopped);
    options_.name = "good";
    EXPECT_EQ(run(), 0);
    EXPECT_THAT(told_, Not(HasSubstr("dead")));
}

TEST_F(StatusCommand, NamesInstancesThatShowNothing) {
    fs::create_directories(root_ / "etc/trebuchet/rpi4-1");
    root_.write("etc/trebuchet/rpi4-1/testflinger-agent.conf", "");
    EXPECT_EQ(run(), 1);
    EXPECT_THAT(told_, HasSubstr("rpi4-1  no status"));
}

TEST_F(StatusCommand, PrintsNothingOfAFileThatATerminalWouldObey) {
    auto status = alive();
    status.comment =
        "\x1b[2Jforged\xC2\x9B"
        "1m\nother  offline";
    show("good", status);
    EXPECT_EQ(run(), 0);
    EXPECT_THAT(told_, HasSubstr("comment: ?[2Jforged?1m?other  offline\n"));
}

TEST_F(StatusCommand, SurvivesWhatAJobPlantsThere) {
    show("text", std::string("no json"));
    fs::create_directories(options_.folder / "folder/status.json");
    fs::create_directories(options_.folder / "link");
    fs::create_symlink("/etc/passwd", options_.folder / "link/status.json");
    show("long", std::string(100'000, ' '));
    EXPECT_EQ(run(), 1);
    EXPECT_THAT(told_, HasSubstr("unreadable"));
    EXPECT_THAT(told_, Not(HasSubstr("root:")));
}

TEST_F(StatusCommand, SaysThatThereIsNoSuchAgent) {
    EXPECT_EQ(run(), 0);
    EXPECT_THAT(told_, HasSubstr("no agent of this host shows a status"));
    options_.name = "gone";
    EXPECT_EQ(run(), 2);
    EXPECT_THAT(told_, HasSubstr("there is no agent \"gone\" on this host"));
}

}  // namespace
}  // namespace trebuchet
