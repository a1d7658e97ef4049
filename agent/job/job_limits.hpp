#pragma once

#include "agent/config/config.hpp"

namespace trebuchet {

/// Prepares this program for `trebuchet.limits`; call it before the first job. If the host does not allow limits, sets
/// them to none and logs that.
void enable_limits(JobLimits& limits);

}  // namespace trebuchet
