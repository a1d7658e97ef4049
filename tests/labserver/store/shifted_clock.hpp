#pragma once

#include "common/base/clock.hpp"

namespace trebuchet::labserver {

/// The real time plus a shift, so that a test can let tokens and secrets expire without waiting.
class ShiftedClock final : public Clock {
  public:
    explicit ShiftedClock(const Clock& real) : real_(real) {}

    void advance(std::chrono::seconds by) { shift_ += by; }
    [[nodiscard]] std::chrono::seconds shift() const { return shift_; }

    [[nodiscard]] std::chrono::steady_clock::time_point now() const override { return real_.now() + shift_; }
    [[nodiscard]] std::chrono::system_clock::time_point wall_time() const override {
        return real_.wall_time() + shift_;
    }

  private:
    const Clock& real_;
    std::chrono::seconds shift_{0};
};

}  // namespace trebuchet::labserver
