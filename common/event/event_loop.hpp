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

/// The event loop of one thread. Only `post` is thread-safe. Handlers must not block or call `run_until`: only the main
/// flow waits.
class EventLoop {
  public:
    EventLoop();
    ~EventLoop();
    EventLoop(const EventLoop&) = delete;
    EventLoop& operator=(const EventLoop&) = delete;

    /// Runs `handler` on the loop's thread. Thread-safe.
    void post(std::function<void()> handler);

    /// Runs handlers until `done` returns true; checks it after each handler.
    void run_until(const std::function<bool()>& done);

    /// The same for at most `limit`. Returns false if `done` did not become true in that time. Without `done` it waits
    /// for the whole time.
    bool wait_for(
        std::chrono::milliseconds limit, const std::function<bool()>& done = [] { return false; });

    /// For adapters with their own descriptors.
    [[nodiscard]] boost::asio::io_context& context();

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Calls a handler once after a delay. The destructor and another start() cancel a pending call.
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

/// Calls `handler` on the loop whenever `fd` is readable; the handler must read. `fd` is not owned and must stay open
/// longer than this object.
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

/// Calls `handler` on the loop for each arrival of one of `signals`.
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
