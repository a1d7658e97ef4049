#pragma once

#include "common/event/event_loop.hpp"

#include <chrono>
#include <functional>

namespace trebuchet {

/// Measures how late the loop is: how long a due handler waits because another handler, or the main flow between two
/// waits, keeps the thread busy.
class LoopLag {
  public:
    using Observe = std::function<void(std::chrono::steady_clock::duration)>;

    /// Calls `observe` with the lag every `period`, on the loop's thread. A lag of more than one period is rounded up:
    /// the thread may have been blocked since right after the last look, so a period is added. Example, with 250 ms: a
    /// handler that takes 1 s is reported as 1 to 1.25 s.
    LoopLag(EventLoop& loop, Observe observe, std::chrono::milliseconds period = std::chrono::milliseconds(250));

  private:
    void look_later();

    Observe observe_;
    std::chrono::milliseconds period_;
    Timer timer_;
};

}  // namespace trebuchet
