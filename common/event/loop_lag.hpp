#pragma once

#include "common/event/event_loop.hpp"

#include <chrono>
#include <functional>

namespace trebuchet {

/// Tells how late the loop is: how long a handler that is due waits for its turn, because another one, or the main flow
/// between two waits, keeps the thread.
class LoopLag {
  public:
    using Observe = std::function<void(std::chrono::steady_clock::duration)>;

    /// Looks each `period`, and calls `observe` with the lag, on the loop's thread. What holds the loop for longer than
    /// two periods is always noticed.
    LoopLag(EventLoop& loop, Observe observe, std::chrono::milliseconds period = std::chrono::milliseconds(500));

  private:
    void look_later();

    Observe observe_;
    std::chrono::milliseconds period_;
    Timer timer_;
};

}  // namespace trebuchet
