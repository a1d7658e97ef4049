#pragma once

#include "common/base/clock.hpp"

namespace trebuchet {

/// A clock that moves only when it is advanced.
class FakeClock final : public Clock {
  public:
    [[nodiscard]] std::chrono::steady_clock::time_point now() const override { return now_; }
    [[nodiscard]] std::chrono::system_clock::time_point wall_time() const override { return wall_time_; }

    void advance(std::chrono::milliseconds time) {
        now_ += time;
        wall_time_ += time;
    }

  private:
    std::chrono::steady_clock::time_point now_{std::chrono::hours(1)};
    std::chrono::system_clock::time_point wall_time_{std::chrono::seconds(1'800'000'000)};  // 2027-01-15T08:00:00Z
};

/// As the random number of a Backoff, makes every wait 0, so that a test of many retries takes no time.
[[nodiscard]] inline double no_waiting() {
    return -1.0;
}

}  // namespace trebuchet
