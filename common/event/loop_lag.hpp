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

    /// Looks each `period`, and calls `observe` with the lag, on the loop's thread. A lag of more than a period is
    /// never told too short: what kept the thread may have begun right after the last look, so a period is added.
    /// Example, with 250 ms: a handler that takes 1 s is told as 1 to 1.25 s.
    LoopLag(EventLoop& loop, Observe observe, std::chrono::milliseconds period = std::chrono::milliseconds(250));

  private:
    void look_later();

    Observe observe_;
    std::chrono::milliseconds period_;
    Timer timer_;
};

}  // namespace trebuchet
