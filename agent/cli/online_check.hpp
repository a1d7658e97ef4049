#pragma once

#include "agent/config/config.hpp"

#include <iosfwd>

namespace trebuchet {

/// Reads each secret that a grant refers to, as for a job that the grant allows, and prints for each reference whether
/// that worked; no values. A dynamic credential is made, and ended at once. Returns whether all of them can be read.
[[nodiscard]] bool check_secrets_online(const Config& config, std::ostream& out);

}  // namespace trebuchet
