#include "provision/boot/boot_waiter.hpp"

#include "tests/provision/support/fakes.hpp"

#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;
using testing::Each;

class BootWaiter : public testing::Test {
  protected:
    void SetUp() override { interrupt_.clock = &clock_; }

    /// Succeeds at the `n`-th check.
    BootProbe up_after(int n) {
        return {"ssh", [this, n]() -> Result<void> {
                    if (++looks_ >= n) return {};
                    return fail("connection refused");
                }};
    }
    auto wait(const std::vector<BootProbe>& probes, const BootWait& wait = {}) {
        return wait_for_boot(probes, wait, {log_, interrupt_, clock_});
    }

    FakeClock clock_;
    ConnectorLog log_{clock_, "board-1", -1};
    FakeInterrupt interrupt_;
    int looks_ = 0;
};

TEST_F(BootWaiter, ChecksUntilTheDeviceIsUp) {
    EXPECT_EQ(wait({up_after(4)}).value(), 15s);
    EXPECT_THAT(interrupt_.waits, Each(5s));
}

TEST_F(BootWaiter, DoesNotWaitForADeviceThatIsUp) {
    EXPECT_EQ(wait({up_after(1)}).value(), 0s);
    EXPECT_TRUE(interrupt_.waits.empty());
}

TEST_F(BootWaiter, DelaysTheFirstCheckOfARestartingDevice) {
    BootWait late;
    late.initial_delay = 60s;
    EXPECT_EQ(wait({up_after(1)}, late).value(), 60s);
}

TEST_F(BootWaiter, RunsTheProbesInOrder) {
    std::string order;
    const auto probe = [&](const char* name) {
        return BootProbe{name, [&order, name]() -> Result<void> {
                             order += name;
                             return {};
                         }};
    };
    EXPECT_TRUE(wait({probe("banner "), probe("login")}));
    EXPECT_EQ(order, "banner login");
}

TEST_F(BootWaiter, ReportsTheLastResultAfterATimeout) {
    BootWait short_wait;
    short_wait.timeout = 12s;
    const auto result = wait({up_after(100)}, short_wait);
    EXPECT_EQ(std::get<BootTimedOut>(result.error()).message, "waited 12 s for ssh; last result: connection refused");
    EXPECT_EQ(looks_, 4) << "at 0, 5, 10 and 12 s";
}

TEST_F(BootWaiter, EndsOnAStopSignal) {
    interrupt_.signal = SIGTERM;
    interrupt_.waits_before_signal = 1;
    EXPECT_EQ(std::get<BootInterrupted>(wait({up_after(100)}).error()).signal, SIGTERM);
}

}  // namespace
}  // namespace trebuchet
