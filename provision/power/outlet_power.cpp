#include "provision/power/outlet_power.hpp"

#include "provision/process/uninterrupted.hpp"

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

constexpr int looks = 10;
constexpr auto between_looks = 500ms;
/// Told to stop, we have little time.
constexpr auto last_switch_time = 4s;

}  // namespace

/// A relay may need a moment.
PowerResult<void> OutletPower::wait_until_off() {
    for (int left = looks;; --left) {
        const auto found = state();
        if (!found) return tl::unexpected(found.error());
        if (*found == PowerState::off) return {};
        if (left == 0) return power_error("the outlet does not read off after it was switched off");
        if (interrupt_->wait_for(between_looks) != 0) return {};
    }
}

PowerResult<void> OutletPower::cycle() {
    if (auto done = off(); !done) return done;
    const auto is_off = wait_until_off();
    if (interrupt_->wait_for(delay_) != 0) return power_error("stopped by a signal", PowerError::Kind::interrupted);
    auto done = on();
    return is_off ? done : is_off;
}

void OutletPower::end_cycle() {
    UninterruptedRunner last(*commands_, last_switch_time);
    (void)outlet_->set(true, last);
}

}  // namespace trebuchet
