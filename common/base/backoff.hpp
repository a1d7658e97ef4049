#pragma once

#include <algorithm>
#include <chrono>
#include <functional>

namespace trebuchet {

/// Exponential backoff with jitter: wait n is random between half and all of min(first × 2ⁿ, limit).
class Backoff {
  public:
    using Duration = std::chrono::milliseconds;
    /// `draw` returns a random number in [0, 1).
    Backoff(Duration first, Duration limit, std::function<double()> draw)
        : first_(first), limit_(limit), next_(first), draw_(std::move(draw)) {}

    [[nodiscard]] Duration next() {
        const auto full = static_cast<double>(std::min(next_, limit_).count());
        next_ = std::min(next_ * 2, limit_);
        return Duration(static_cast<Duration::rep>(full * (0.5 + 0.5 * draw_())));
    }
    void reset() { next_ = first_; }

  private:
    Duration first_;
    Duration limit_;
    Duration next_;
    std::function<double()> draw_;
};

}  // namespace trebuchet
