#pragma once

#include "agent/config/config.hpp"

#include <chrono>
#include <optional>

namespace trebuchet {

/// How long an agent with this configuration may take to stop after SIGTERM. nullopt: as long as its job runs.
[[nodiscard]] std::optional<std::chrono::milliseconds> longest_stop(const TrebuchetConfig& config);

}  // namespace trebuchet
