#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace boost::asio {
class io_context;
}

namespace trebuchet {

/// The one thread's loop. Everything but `post` belongs to the thread that runs it. Handlers must not block, and must
/// not call `run_until` themselves: only the main flow waits.
class EventLoop {
  public:
    EventLoop();
    ~EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    /// Runs `handler` on the loop's thread. Callable from any thread.
    void post(std::function<void()> handler);

    /// Runs handlers until `done` holds, which is asked after each of them.
    void run_until(const std::function<bool()>& done);

    /// For adapters that bring descriptors of their own.
    [[nodiscard]] boost::asio::io_context& context();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Calls a handler once, later. Destroying it, or starting it again, takes back what has not happened yet.
class Timer {
  public:
    explicit Timer(EventLoop& loop);
    ~Timer();
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    void start(std::chrono::milliseconds delay, std::function<void()> handler);
    void stop();

  private:
    struct State;
    std::shared_ptr<State> state_;
};

/// Calls `handler` on the loop as long as there is something to read from `fd`, which the handler is to do. `fd` is not
/// owned, and must stay open until this is gone.
class ReadWatcher {
  public:
    ReadWatcher(EventLoop& loop, int fd, std::function<void()> handler);
    ~ReadWatcher();
    ReadWatcher(const ReadWatcher&) = delete;
    ReadWatcher& operator=(const ReadWatcher&) = delete;

  private:
    struct State;
    std::shared_ptr<State> state_;
};

/// Calls `handler` on the loop for each of `signals` that the process gets, as long as it lives.
class SignalWatcher {
  public:
    SignalWatcher(EventLoop& loop, const std::vector<int>& signals, std::function<void(int)> handler);
    ~SignalWatcher();
    SignalWatcher(const SignalWatcher&) = delete;
    SignalWatcher& operator=(const SignalWatcher&) = delete;

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace trebuchet
