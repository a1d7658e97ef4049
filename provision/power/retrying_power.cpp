#include "provision/power/retrying_power.hpp"

#include "provision/log/tries_left.hpp"

#include <utility>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;
using Kind = PowerError::Kind;

constexpr int tries = 4;
constexpr auto time_to_settle = 10s;
constexpr auto poll_interval = 200ms;

const char* name_of(PowerState state) {
    switch (state) {
        case PowerState::off:
            return "off";
        case PowerState::on:
            return "on";
        case PowerState::unknown:
            break;
    }
    return "unknown";
}

bool is_final(Kind kind) {
    return kind == Kind::refused || kind == Kind::not_installed || kind == Kind::interrupted;
}

}  // namespace

RetryingPower::RetryingPower(std::unique_ptr<PowerControl> inner, PowerTools tools)
    : inner_(std::move(inner)), tools_(std::move(tools)) {}

PowerResult<void> RetryingPower::on() {
    return retry(&PowerControl::on, PowerState::on);
}

PowerResult<void> RetryingPower::off() {
    return retry(&PowerControl::off, PowerState::off);
}

PowerResult<void> RetryingPower::cycle() {
    auto done = retry(&PowerControl::cycle, PowerState::on);
    // Whatever was under way, even a request without an answer, may have switched off.
    if (!done && tools_.interrupt.wait_for(0ms) != 0) inner_->end_cycle();
    return done;
}

PowerResult<PowerState> RetryingPower::state() {
    return inner_->state();
}

PowerResult<void> RetryingPower::retry(Action action, PowerState wanted) {
    Backoff backoff(1s, 10s, tools_.jitter);
    for (int left = tries;; --left) {
        auto done = ((*inner_).*action)();
        if (done) done = verify(wanted);
        if (done || is_final(done.error().kind) || left == 1) return done;
        tools_.log.warning("Power control: " + done.error().message + "; retrying, " + tries_left(left - 1));
        if (tools_.interrupt.wait_for(backoff.next()) != 0) {
            return power_error("stopped by a signal", Kind::interrupted);
        }
    }
}

PowerResult<void> RetryingPower::verify(PowerState wanted) {
    const auto deadline = tools_.clock.now() + time_to_settle;
    while (true) {
        const auto found = inner_->state();
        if (found && (*found == wanted || *found == PowerState::unknown)) return {};
        if (tools_.clock.now() >= deadline) {
            if (!found) return tl::unexpected(found.error());
            return power_error(std::string("the power reads ") + name_of(*found) + ", expected " + name_of(wanted));
        }
        if (tools_.interrupt.wait_for(poll_interval) != 0) {
            return power_error("stopped by a signal", Kind::interrupted);
        }
    }
}

}  // namespace trebuchet
