#include "common/event/event_loop.hpp"

#include "common/file/safe_file.hpp"
#include "tests/fakes/run_loop.hpp"

#include <array>
#include <csignal>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::IsEmpty;

TEST(EventLoop, RunsHandlersInTheOrderOfTheirPosting) {
    EventLoop loop;
    std::vector<int> order;
    for (int i = 0; i < 4; ++i) loop.post([&, i] { order.push_back(i); });
    loop.run_until([&] { return order.size() == 4; });
    EXPECT_THAT(order, ElementsAre(0, 1, 2, 3));
}

TEST(EventLoop, WaitsNoLongerThanTheLimit) {
    EventLoop loop;
    int turns = 0;
    EXPECT_FALSE(loop.wait_for(milliseconds(1), [&] { return ++turns > 1000; }));
    EXPECT_FALSE(loop.wait_for(milliseconds(1)));
}

TEST(EventLoop, WaitsNoLongerThanUntilTheConditionIsTrue) {
    EventLoop loop;
    bool happened = false;
    loop.post([&] { happened = true; });
    EXPECT_TRUE(loop.wait_for(hours(1), [&] { return happened; }));
    EXPECT_TRUE(loop.wait_for(hours(1), [] { return true; }));
}

TEST(EventLoop, ReturnsAtOnceWhenTheConditionIsAlreadyTrue) {
    EventLoop loop;
    bool ran = false;
    loop.post([&] { ran = true; });
    loop.run_until([] { return true; });
    EXPECT_FALSE(ran);
}

TEST(EventLoop, ChecksTheConditionAfterEachHandler) {
    EventLoop loop;
    int ran = 0;
    for (int i = 0; i < 5; ++i) loop.post([&] { ++ran; });
    loop.run_until([&] { return ran == 2; });
    EXPECT_EQ(ran, 2);
    loop.run_until([&] { return ran == 5; });
}

TEST(EventLoop, RunsWhatAnotherThreadPostsOnItsOwnThread) {
    EventLoop loop;
    std::thread::id ran_on;
    std::thread other([&] { loop.post([&] { ran_on = std::this_thread::get_id(); }); });
    loop.run_until([&] { return ran_on != std::thread::id(); });
    other.join();
    EXPECT_EQ(ran_on, std::this_thread::get_id());
}

TEST(EventLoop, PropagatesAHandlersExceptionAndCanContinue) {
    EventLoop loop;
    bool ran = false;
    loop.post([] { throw std::runtime_error("a bug"); });
    loop.post([&] { ran = true; });
    EXPECT_THROW(loop.run_until([&] { return ran; }), std::runtime_error);
    loop.run_until([&] { return ran; });
}

TEST(Timer, CallsItsHandlerOnce) {
    EventLoop loop;
    Timer timer(loop);
    int calls = 0;
    timer.start(milliseconds(1), [&] { ++calls; });
    loop.run_until([&] { return calls > 0; });
    run_what_is_due(loop);
    EXPECT_EQ(calls, 1);
}

TEST(Timer, FiresInOrderOfDueTimes) {
    EventLoop loop;
    std::vector<int> order;
    Timer late(loop);
    Timer early(loop);
    late.start(milliseconds(20), [&] { order.push_back(2); });
    early.start(milliseconds(1), [&] { order.push_back(1); });
    loop.run_until([&] { return order.size() == 2; });
    EXPECT_THAT(order, ElementsAre(1, 2));
}

TEST(Timer, ARestartReplacesTheHandler) {
    EventLoop loop;
    Timer timer(loop);
    std::vector<int> calls;
    timer.start(milliseconds(0), [&] { calls.push_back(1); });
    timer.start(milliseconds(0), [&] { calls.push_back(2); });
    loop.run_until([&] { return !calls.empty(); });
    run_what_is_due(loop);
    EXPECT_THAT(calls, ElementsAre(2));
}

TEST(Timer, DoesNothingAfterStopEvenIfDue) {
    EventLoop loop;
    Timer timer(loop);
    bool called = false;
    loop.post([&] { timer.stop(); });  // runs before what the reactor reports
    timer.start(milliseconds(0), [&] { called = true; });
    loop.wait_for(milliseconds(5));
    EXPECT_FALSE(called);
}

TEST(Timer, DoesNothingAfterItsDestruction) {
    EventLoop loop;
    bool called = false;
    {
        Timer timer(loop);
        timer.start(milliseconds(0), [&] { called = true; });
    }
    loop.wait_for(milliseconds(5));
    EXPECT_FALSE(called);
}

TEST(Timer, CanBeStartedAgainByItsOwnHandler) {
    EventLoop loop;
    Timer timer(loop);
    int calls = 0;
    std::function<void()> again = [&] {
        if (++calls < 3) timer.start(milliseconds(0), again);
    };
    timer.start(milliseconds(0), again);
    loop.run_until([&] { return calls == 3; });
}

TEST(Timer, CanBeDestroyedByItsOwnHandler) {
    EventLoop loop;
    auto timer = std::make_unique<Timer>(loop);
    const auto kept = std::make_shared<int>(7);
    int seen = 0;
    timer->start(milliseconds(0), [&, kept] {
        timer.reset();
        seen = *kept;
    });
    loop.run_until([&] { return seen != 0; });
    EXPECT_EQ(seen, 7);
}

TEST(Timer, FreesItsHandlerWhenStopped) {
    EventLoop loop;
    Timer timer(loop);
    auto kept = std::make_shared<int>(7);
    const std::weak_ptr<int> watched = kept;
    timer.start(hours(1), [kept] {});
    kept.reset();
    timer.stop();
    EXPECT_TRUE(watched.expired());
}

TEST(SignalWatcher, CallsItsHandlerForEachSignalOnTheLoop) {
    EventLoop loop;
    std::vector<int> seen;
    const SignalWatcher watcher(loop, {SIGUSR1, SIGUSR2}, [&](int signal) { seen.push_back(signal); });
    ::raise(SIGUSR2);
    EXPECT_THAT(seen, IsEmpty());
    loop.run_until([&] { return seen.size() == 1; });
    ::raise(SIGUSR1);
    loop.run_until([&] { return seen.size() == 2; });
    ::raise(SIGUSR2);
    loop.run_until([&] { return seen.size() == 3; });
    EXPECT_THAT(seen, ElementsAre(SIGUSR2, SIGUSR1, SIGUSR2));
}

TEST(SignalWatcher, TheDestructorStopsCallsAndReleasesTheSignal) {
    struct sigaction before {};
    ::sigaction(SIGUSR2, nullptr, &before);
    EventLoop loop;
    bool called = false;
    {
        const SignalWatcher watcher(loop, {SIGUSR2}, [&](int) { called = true; });
        ::raise(SIGUSR2);
    }
    loop.wait_for(milliseconds(5));
    EXPECT_FALSE(called);
    struct sigaction after {};
    ::sigaction(SIGUSR2, nullptr, &after);
    EXPECT_EQ(after.sa_handler, before.sa_handler);
}

/// Both ends, the first to read from.
std::pair<FileDescriptor, FileDescriptor> make_pipe() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK), 0);
    return {FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

TEST(ReadWatcher, CallsWhileTheDescriptorIsReadable) {
    EventLoop loop;
    const auto [reading, writing] = make_pipe();
    std::string got;
    const ReadWatcher watcher(loop, reading.get(), [&, fd = reading.get()] {
        char byte = 0;
        if (::read(fd, &byte, 1) == 1) got += byte;
    });
    run_what_is_due(loop);
    EXPECT_EQ(got, "");
    ASSERT_TRUE(write_all(writing.get(), "abc"));
    loop.run_until([&] { return got.size() == 3; });
    ASSERT_TRUE(write_all(writing.get(), "d"));
    loop.run_until([&] { return got.size() == 4; });
    EXPECT_EQ(got, "abcd");
}

TEST(ReadWatcher, TheDestructorStopsCallsAndLeavesTheDescriptorOpen) {
    EventLoop loop;
    const auto [reading, writing] = make_pipe();
    int calls = 0;
    {
        const ReadWatcher watcher(loop, reading.get(), [&] { ++calls; });
        ASSERT_TRUE(write_all(writing.get(), "abc"));
    }
    run_what_is_due(loop);
    EXPECT_EQ(calls, 0);
    char byte = 0;
    EXPECT_EQ(::read(reading.get(), &byte, 1), 1);
}

}  // namespace
}  // namespace trebuchet
