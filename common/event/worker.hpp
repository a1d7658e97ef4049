#pragma once

#include "common/event/event_loop.hpp"

#include <functional>
#include <memory>

namespace trebuchet {

/// Does blocking work, one piece after the other, on a thread of its own, which is started with the first piece.
class Worker {
  public:
    explicit Worker(EventLoop& loop);
    /// Waits for the piece that is being done. What was not begun is left out, and no `done` is called any more.
    ~Worker();
    Worker(const Worker&) = delete;
    Worker& operator=(const Worker&) = delete;

    /// Does `work` on the thread and then calls `done` on the loop. From the loop's thread; `work` must not throw.
    void run(std::function<void()> work, std::function<void()> done);

  private:
    struct State;
    std::shared_ptr<State> state_;
};

}  // namespace trebuchet
