#include "common/event/beside.hpp"

#include <chrono>
#include <exception>
#include <optional>
#include <system_error>
#include <thread>

namespace trebuchet {

namespace {

/// Starting a thread is retried: a job that has filled the process table may be about to be ended.
constexpr std::chrono::milliseconds thread_retry{100};
constexpr int most_retries = 50;

template <typename Work>
std::optional<std::thread> try_thread(const Work& work) {
    try {
        return std::thread(work);
    } catch (const std::system_error&) {
        return std::nullopt;
    }
}

void pause(EventLoop& loop) {
    bool over = false;
    Timer timer(loop);
    timer.start(thread_retry, [&] { over = true; });
    loop.run_until([&] { return over; });
}

}  // namespace

void run_beside(EventLoop& loop, const std::function<void()>& work) {
    bool done = false;
    std::exception_ptr thrown;
    const auto guarded_work = [&] {
        try {
            work();
        } catch (...) {
            thrown = std::current_exception();
        }
        loop.post([&] { done = true; });
    };
    auto thread = try_thread(guarded_work);
    for (int retries = 0; !thread && retries < most_retries; ++retries) {
        pause(loop);
        thread = try_thread(guarded_work);
    }
    if (!thread) guarded_work();  // no thread: do the work on this one
    loop.run_until([&] { return done; });
    if (thread) thread->join();
    if (thrown) std::rethrow_exception(thrown);
}

}  // namespace trebuchet
