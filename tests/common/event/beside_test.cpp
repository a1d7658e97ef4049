#include "common/event/beside.hpp"

#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

TEST(RunBeside, RunsTheLoopMeanwhile) {
    EventLoop loop;
    std::mutex mutex;
    std::condition_variable changed;
    bool handled = false;
    std::thread::id worker;
    loop.post([&] {
        const std::lock_guard lock(mutex);
        handled = true;
        changed.notify_all();
    });
    run_beside(loop, [&] {
        worker = std::this_thread::get_id();
        std::unique_lock lock(mutex);
        changed.wait(lock, [&] { return handled; });
    });
    EXPECT_TRUE(handled);
    EXPECT_NE(worker, std::this_thread::get_id());
}

TEST(RunBeside, RethrowsTheWorksException) {
    EventLoop loop;
    EXPECT_THROW(run_beside(loop, [] { throw std::runtime_error("a bug"); }), std::runtime_error);
}

}  // namespace
}  // namespace trebuchet
