#include "tests/agent/daemon/daemon_fixture.hpp"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using nlohmann::json;
using std::chrono::hours;
using testing::ElementsAre;
using testing::Not;

namespace fs = std::filesystem;

const std::string comment = "Paused on the host: new cable";

/// A daemon whose host may ask for maintenance. Files of root count as an administrator's.
class PausedDaemon : public DaemonFixture {
  protected:
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "NOT TESTED: needs root, from whom alone the agent takes the file";
        fs::create_directories(state_);
    }
    void pause(std::optional<std::chrono::system_clock::time_point> until = std::nullopt) {
        ASSERT_TRUE(write_pause(state_, {"new cable", until}));
    }
    void resume() { fs::remove(state_ / pause_file); }

    fs::path state_ = folder_ / "state";
};

TEST_F(PausedDaemon, IsInMaintenanceWithTheNoteAndTakesNoJob) {
    pause();
    stop_at(poll(3));
    EXPECT_EQ(run(), DaemonEnd::stopped);
    EXPECT_THAT(states(), ElementsAre("maintenance " + comment));
    EXPECT_EQ(server_.calls["take_job"], 0);
}

TEST_F(PausedDaemon, GoesOnWhenItIsResumed) {
    pause();
    server_.at(poll(3), [this] { resume(); });
    EXPECT_EQ(run(), DaemonEnd::stopped);
    EXPECT_THAT(states(), ElementsAre("maintenance " + comment, "waiting"));
    EXPECT_EQ(server_.calls["take_job"], 1);
}

TEST_F(PausedDaemon, GoesOnByItselfAtTheEndOfItsTime) {
    pause(clock_.wall_time() + hours(2));
    server_.at(poll(2), [this] { clock_.advance(hours(1)); });
    server_.at(poll(3), [this] { clock_.advance(hours(1)); });
    EXPECT_EQ(run(), DaemonEnd::stopped);
    EXPECT_THAT(states(),
                ElementsAre("maintenance Paused on the host until 2027-01-15T10:00 UTC: new cable", "waiting"));
    EXPECT_EQ(server_.calls["read_agent"], 1 + 4);
    EXPECT_FALSE(fs::exists(state_ / pause_file));
}

TEST_F(PausedDaemon, FinishesItsJobFirst) {
    server_.jobs = {R"({"job_id": "j1"})", R"({"job_id": "j2"})"};
    command(Phase::setup, "true");
    after({"agent_state", "setup", ""}, [this] { pause(); });
    after({"agent_state", "maintenance", comment}, [this] { daemon_.stop(); });
    EXPECT_EQ(run(), DaemonEnd::stopped);
    EXPECT_EQ(server_.job_states["j1"], "complete");
    EXPECT_EQ(server_.job_states.count("j2"), 0U);
    EXPECT_EQ(states().back(), "maintenance " + comment);
}

TEST_F(PausedDaemon, ThatWasResumedWhileItWasDownComesUpWaiting) {
    server_.agent = record("maintenance", comment);
    run();
    EXPECT_THAT(states(), ElementsAre("waiting"));
}

TEST_F(PausedDaemon, ShowsAChangedNote) {
    pause();
    server_.at(poll(2), [this] { ASSERT_TRUE(write_pause(state_, {"still", std::nullopt})); });
    stop_at(poll(4));
    run();
    EXPECT_THAT(states(), ElementsAre("maintenance " + comment, "maintenance Paused on the host: still"));
}

TEST_F(PausedDaemon, LeavesAnAdministratorsOrderAsItIs) {
    pause();
    server_.agent = record("offline", "being repaired");
    server_.at(poll(2), [this] { resume(); });
    stop_at(poll(4));
    run();
    EXPECT_THAT(states(), ElementsAre("offline being repaired"));
    EXPECT_EQ(server_.calls["take_job"], 0);
}

TEST_F(PausedDaemon, StaysInMaintenanceIfTheServerSaysSoByMode) {
    pause();
    server_.at(poll(2), [this] {
        server_.agent.mode = "maintenance";
        resume();
    });
    stop_at(poll(5));
    run();
    EXPECT_THAT(states(), Not(testing::Contains("waiting")));
    EXPECT_EQ(server_.calls["take_job"], 0);
}

TEST_F(PausedDaemon, RefusesAFileThatAJobMayHaveWritten) {
    pause();
    ASSERT_EQ(::chown((state_ / pause_file).c_str(), 300'001, 300'001), 0);
    run();
    EXPECT_THAT(states(), ElementsAre("waiting"));
    EXPECT_EQ(server_.calls["take_job"], 1);
    EXPECT_TRUE(fs::exists(state_ / "pause.set-aside-1"));
}

TEST_F(PausedDaemon, RefusesWhatIsNoFileAndWhatItCannotUnderstand) {
    for (const auto* text :
         {"", "[]", "{\"note\": 7}", R"({"note": "x", "until": "noon"})", R"({"note": "x", "until": -1})"}) {
        std::ofstream(state_ / pause_file) << text;
        EXPECT_FALSE(read_pause(state_, false)) << text;
    }
    fs::remove(state_ / pause_file);
    fs::create_directory(state_ / pause_file);
    EXPECT_FALSE(read_pause(state_, false));
    run();
    EXPECT_THAT(states(), ElementsAre("waiting"));
}

}  // namespace
}  // namespace trebuchet
