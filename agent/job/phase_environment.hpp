#pragma once

#include "agent/config/config.hpp"
#include "agent/job/job.hpp"
#include "common/process/environment.hpp"

#include <map>
#include <string>

namespace trebuchet {

/// The secrets that this phase's command gets: its own `<phase>_data.secrets`, and `test_data.secrets` if it is one of
/// `trebuchet.secret_phases`. Its own win.
[[nodiscard]] std::map<std::string, SecretString> secrets_of_phase(const Job& job, Phase phase, const Config& config);

/// `base` (the agent's environment) without what is the agent's own, such as its credentials and its service manager's
/// variables, plus the configuration's strings, plus the phase's secrets.
[[nodiscard]] Environment phase_environment(Environment base, const Config& config,
                                            const std::map<std::string, SecretString>& secrets);

}  // namespace trebuchet
