#include "tests/integration/harness/lab_test.hpp"

#include <algorithm>
#include <csignal>
#include <string>
#include <string_view>
#include <tuple>

namespace trebuchet::harness {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

/// How the test phase ends.
enum class End { by_itself, output_timeout, global_timeout, cancelled };
/// What else happens while the server is down.
enum class Meanwhile { nothing, agent_stopped, agent_killed };

std::string name_of(End end) {
    switch (end) {
        case End::by_itself:
            return "ThatEndsByItself";
        case End::output_timeout:
            return "WithAnOutputTimeout";
        case End::global_timeout:
            return "WithAGlobalTimeout";
        case End::cancelled:
            return "ThatIsCancelled";
    }
    return "";
}

std::string name_of(Meanwhile meanwhile) {
    switch (meanwhile) {
        case Meanwhile::nothing:
            return "AndAServerThatIsAway";
        case Meanwhile::agent_stopped:
            return "AndAnAgentThatIsStopped";
        case Meanwhile::agent_killed:
            return "AndAnAgentThatIsKilled";
    }
    return "";
}

/// The server is down from the middle of a phase until after its end.
class EndInAnOutage : public LabTest, public ::testing::WithParamInterface<std::tuple<End, Meanwhile>> {
  protected:
    static constexpr int lines = 2000;

    EndInAnOutage() {
        agent.configure({{"server_address", kept_.url()},
                         {"cleanup_command", "touch " + (folder / "cleaned").string()},
                         {"trebuchet", {{"stop_grace", 0}, {"kill_grace", 0}}}});
        agent.write_token(kept_.tokens(clients::agent)["refresh_token"]);
        agent.on("test", "echo before; " + held_.wait_command() + "; seq " + std::to_string(lines) + "; echo after; " +
                             (end() == End::by_itself ? "exit 3" : "exec sleep 1000"));
    }

    static End end() { return std::get<0>(GetParam()); }
    static Meanwhile meanwhile() { return std::get<1>(GetParam()); }

    [[nodiscard]] Json test() const {
        Json fields = {{"test_data", {{"test_cmds", "x"}}}};
        if (end() == End::output_timeout) fields["output_timeout"] = 3;
        if (end() == End::global_timeout) fields["global_timeout"] = 5;
        return job(fields);
    }

    /// Whether the agent has stored the text on disk, to send it later.
    [[nodiscard]] bool keeps(std::string_view text) const {
        const auto files = agent.files_holding(text);
        return std::any_of(files.begin(), files.end(), [this](const std::filesystem::path& file) {
            return file.string().starts_with(agent.jobs().string());
        });
    }

    [[nodiscard]] static std::string printed() {
        std::string text = "before\n";
        for (int i = 1; i <= lines; ++i) text += std::to_string(i) + "\n";
        return text + "after\n";
    }

    Gate held_ = gate();
    LabServer kept_{folder / "kept", authority, 0, {"--data", folder / "lab.db"}};
};

TEST_P(EndInAnOutage, LosesAndDoublesNothing) {
    const auto id = kept_.post_job(test());
    agent.start();
    ASSERT_TRUE(kept_.shows(id, "test", "before")) << agent.log();
    if (end() == End::cancelled) kept_.cancel(id);
    kept_.kill();
    held_.open();
    ASSERT_TRUE(eventually([&] { return keeps("after\n"); })) << agent.log();
    if (meanwhile() != Meanwhile::nothing) {
        agent.program().signal(meanwhile() == Meanwhile::agent_stopped ? SIGTERM : SIGKILL);
        static_cast<void>(agent.program().wait());
    } else if (end() == End::output_timeout || end() == End::global_timeout) {
        ASSERT_TRUE(eventually([&] { return keeps("timeout reached!"); })) << agent.log();
    }
    kept_.start();
    if (meanwhile() != Meanwhile::nothing) agent.start();

    ASSERT_TRUE(kept_.reaches(id, end() == End::cancelled ? "cancelled" : "complete")) << agent.log();
    ASSERT_TRUE(eventually([&] { return everything_in(agent.jobs()).empty(); })) << agent.log();
    const auto log = kept_.log(id, "test");
    const auto start = log.find("before\n");
    ASSERT_NE(start, std::string::npos);
    EXPECT_THAT(log.substr(start), StartsWith(printed()));
    EXPECT_THAT(log.substr(start + printed().size()), Not(HasSubstr("after")));
    EXPECT_TRUE(std::filesystem::exists(folder / "cleaned"));
    const auto result = kept_.result(id);
    if (end() == End::by_itself && meanwhile() == Meanwhile::nothing) {
        EXPECT_EQ(result["test_status"], 3);
    } else if (end() != End::cancelled) {
        EXPECT_NE(result["test_status"], 0);
    }

    // The agent runs the next job.
    const auto next = kept_.post_job(job({{"provision_data", {{"distro", "none"}}}}));
    EXPECT_TRUE(kept_.reaches(next, "complete")) << agent.log();
}

INSTANTIATE_TEST_SUITE_P(
    OfAPhase, EndInAnOutage,
    ::testing::Combine(::testing::Values(End::by_itself, End::output_timeout, End::global_timeout, End::cancelled),
                       ::testing::Values(Meanwhile::nothing, Meanwhile::agent_stopped, Meanwhile::agent_killed)),
    [](const auto& each) { return name_of(std::get<0>(each.param)) + name_of(std::get<1>(each.param)); });

}  // namespace
}  // namespace trebuchet::harness
