#include "agent/config/stop_limit.hpp"

namespace trebuchet {
namespace {

/// The time of a stop in addition to the configured grace periods.
constexpr std::chrono::seconds longest_delivery{60};

}  // namespace

std::optional<std::chrono::milliseconds> longest_stop(const TrebuchetConfig& config) {
    if (config.drain == Drain::finish) return std::nullopt;
    return config.stop_grace + 2 * config.kill_grace + longest_delivery;
}

}  // namespace trebuchet
