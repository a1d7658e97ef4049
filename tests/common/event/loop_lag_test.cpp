#include "common/event/loop_lag.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

TEST(LoopLag, IsHowLongADueHandlerWaitsForOneThatKeepsTheThread) {
    EventLoop loop;
    std::vector<steady_clock::duration> lags;
    const LoopLag lag(
        loop, [&](auto late) { lags.push_back(late); }, milliseconds(1));
    loop.run_until([&] { return !lags.empty(); });
    lags.clear();
    const auto held_until = steady_clock::now() + milliseconds(50);
    loop.post([&] {
        while (steady_clock::now() < held_until) continue;
    });
    loop.run_until([&] { return !lags.empty(); });
    EXPECT_GE(lags.front(), milliseconds(40));
}

TEST(LoopLag, IsNeverToldTooShortWheneverTheThreadIsTaken) {
    EventLoop loop;
    std::vector<steady_clock::duration> lags;
    const LoopLag lag(
        loop, [&](auto late) { lags.push_back(late); }, milliseconds(40));
    const auto held_until = steady_clock::now() + milliseconds(100);
    loop.post([&] {
        while (steady_clock::now() < held_until) continue;
    });
    loop.run_until([&] { return !lags.empty(); });
    EXPECT_GE(lags.front(), milliseconds(99));  // the look was due after 40 of them
}

TEST(LoopLag, IsNotLookedAtAnyMoreOnceItIsGone) {
    EventLoop loop;
    int looks = 0;
    {
        const LoopLag lag(
            loop, [&](auto) { ++looks; }, milliseconds(0));
    }
    bool done = false;
    loop.post([&] { done = true; });
    loop.run_until([&] { return done; });
    EXPECT_EQ(looks, 0);
}

}  // namespace
}  // namespace trebuchet
