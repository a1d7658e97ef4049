#pragma once

#include "common/event/event_loop.hpp"

#include <functional>
#include <memory>

namespace trebuchet {

/// Runs blocking tasks one after another on its own thread. The first task starts the thread. If that fails, the task
/// runs at once on the caller's thread.
class Worker {
  public:
    explicit Worker(EventLoop& loop);
    /// Waits for the running task. Drops tasks that have not started, and makes no further calls of `done`.
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    /// Runs `work` on the thread, then `done` on the loop. Call this on the loop's thread. `work` must not throw.
    void run(std::function<void()> work, std::function<void()> done);

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace trebuchet
