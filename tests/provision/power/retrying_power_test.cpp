#include "provision/power/retrying_power.hpp"

#include "tests/fakes/fake_clock.hpp"
#include "tests/provision/support/fakes.hpp"

#include <csignal>
#include <deque>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;
using Kind = PowerError::Kind;

/// A switch with a configurable number of failures and a configurable state.
class FakeSwitch final : public PowerControl {
  public:
    PowerResult<void> on() override { return act(); }
    PowerResult<void> off() override { return act(); }
    PowerResult<void> cycle() override { return act(); }
    PowerResult<PowerState> state() override {
        if (reads.size() > 1) reads.pop_front();
        return reads.front();
    }
    PowerResult<void> act() {
        ++actions;
        if (actions <= failures) return power_error("no answer", kind);
        return {};
    }

    void end_cycle() override { ++ends; }

    int actions = 0;
    int ends = 0;
    int failures = 0;
    Kind kind = Kind::failed;
    std::deque<PowerResult<PowerState>> reads{PowerState::unknown};
};

/// Each wait advances the clock.
class TickingInterrupt final : public Interrupt {
  public:
    explicit TickingInterrupt(FakeClock& clock) : clock_(&clock) {}
    [[nodiscard]] int wait_for(std::chrono::milliseconds time) override {
        clock_->advance(time);
        return signal;
    }
    int signal = 0;

  private:
    FakeClock* clock_;
};

class RetryingPowerTest : public testing::Test {
  protected:
    FakeClock clock_;
    TickingInterrupt interrupt_{clock_};
    ConnectorLog log_{clock_, "board-1", -1};
    FakeSwitch* switch_ = new FakeSwitch;
    RetryingPower power_{std::unique_ptr<PowerControl>(switch_), {log_, interrupt_, clock_, [] { return 0.0; }}};
};

TEST_F(RetryingPowerTest, ACycleThatIsStoppedIsEnded) {
    switch_->failures = 1;
    interrupt_.signal = SIGTERM;
    EXPECT_EQ(power_.cycle().error().kind, Kind::interrupted) << "after a try whose outcome nobody knows";
    EXPECT_EQ(switch_->ends, 1);
    EXPECT_TRUE(power_.cycle());
    switch_->actions = 0;
    EXPECT_FALSE(power_.off());
    EXPECT_EQ(switch_->ends, 1) << "who wants it off gets it off";
}

TEST_F(RetryingPowerTest, RetriesAFailure) {
    switch_->failures = 3;
    EXPECT_TRUE(power_.cycle());
    EXPECT_EQ(switch_->actions, 4);
}

TEST_F(RetryingPowerTest, GivesUpWithTheLastError) {
    switch_->failures = 100;
    switch_->kind = Kind::timed_out;
    const auto done = power_.off();
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, Kind::timed_out);
    EXPECT_EQ(switch_->actions, 4);
}

TEST_F(RetryingPowerTest, DoesNotRetryAPermanentFailure) {
    switch_->failures = 100;
    switch_->kind = Kind::refused;
    EXPECT_FALSE(power_.on());
    EXPECT_EQ(switch_->actions, 1);
}

TEST_F(RetryingPowerTest, EndsOnAStopSignal) {
    switch_->failures = 100;
    interrupt_.signal = SIGTERM;
    EXPECT_EQ(power_.on().error().kind, Kind::interrupted);
    EXPECT_EQ(switch_->actions, 1);
}

TEST_F(RetryingPowerTest, WaitsUntilTheStateIsRight) {
    switch_->reads = {PowerState::unknown, PowerState::on, PowerState::on, PowerState::off};
    EXPECT_TRUE(power_.off());
    EXPECT_EQ(switch_->actions, 1);
}

TEST_F(RetryingPowerTest, SwitchesAgainWhenTheStateIsWrong) {
    switch_->reads = {PowerState::on};
    const auto done = power_.off();
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().message, HasSubstr("reads on, expected off"));
    EXPECT_EQ(switch_->actions, 4);
}

TEST_F(RetryingPowerTest, FailsWhenTheStateCannotBeReadAnyMore) {
    switch_->reads = {power_error("unreachable")};
    EXPECT_EQ(power_.on().error().message, "unreachable");
}

}  // namespace
}  // namespace trebuchet
