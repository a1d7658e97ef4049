#pragma once

#include "common/event/event_loop.hpp"

#include <chrono>
#include <functional>
#include <thread>

namespace trebuchet {

/// Runs the loop for `time`, so that what is on its way arrives.
inline void run_for(EventLoop& loop, std::chrono::milliseconds time) {
    loop.wait_for(time);
}

/// Runs what is due by now, and what that posts.
inline void run_what_is_due(EventLoop& loop) {
    bool over = false;
    loop.post([&] { loop.post([&over] { over = true; }); });
    loop.run_until([&over] { return over; });
}

/// Runs the loop while `work` runs on a thread of its own.
inline void run_beside(EventLoop& loop, const std::function<void()>& work) {
    bool over = false;
    std::thread thread([&] {
        work();
        loop.post([&over] { over = true; });
    });
    loop.run_until([&over] { return over; });
    thread.join();
}

}  // namespace trebuchet
