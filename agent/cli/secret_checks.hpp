#pragma once

#include "agent/cli/finding.hpp"
#include "agent/config/config.hpp"

namespace trebuchet {

/// Reads each secret that a grant refers to, as for a job that the grant allows: a finding for each reference, without
/// its value. A dynamic credential is created, and revoked at once.
void check_secrets(const Config& config, Findings& findings);

/// Opens the folder with the keys, and asks each tested repository for its branch: a finding for each. Runs git;
/// bounded in time.
void check_repositories(const Config& config, Findings& findings);

}  // namespace trebuchet
