#include "common/event/loop_lag.hpp"

#include <utility>

namespace trebuchet {

LoopLag::LoopLag(EventLoop& loop, Observe observe, std::chrono::milliseconds period)
    : observe_(std::move(observe)), period_(period), timer_(loop) {
    look_later();
}

void LoopLag::look_later() {
    const auto due = std::chrono::steady_clock::now() + period_;
    timer_.start(period_, [this, due] {
        const auto lag = std::chrono::steady_clock::now() - due;
        observe_(lag > period_ ? lag + period_ : lag);
        look_later();
    });
}

}  // namespace trebuchet
