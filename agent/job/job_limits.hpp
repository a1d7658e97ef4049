#pragma once

#include "agent/config/config.hpp"

namespace trebuchet {

/// Makes `trebuchet.limits` possible for the jobs of this program, before it starts one. Where the host does not let
/// us, the limits are set to none and the log says so.
void enable_limits(JobLimits& limits);

}  // namespace trebuchet
