#pragma once

#include "agent/config/config.hpp"
#include "agent/job/job.hpp"
#include "agent/secrets/granted_secrets.hpp"
#include "common/process/environment.hpp"

#include <cstddef>
#include <map>
#include <string>

namespace trebuchet {

/// The secrets that this phase's command gets: its own `<phase>_data.secrets`, and `test_data.secrets` if it is one of
/// `trebuchet.secret_phases`. Its own win. Not those that are refused.
[[nodiscard]] std::map<std::string, SecretString> secrets_of_phase(const Job& job, Phase phase, const Config& config);

/// `base` (the agent's environment) without what is the agent's own, such as its credentials and its service manager's
/// variables, plus the configuration's strings, plus the phase's secrets. Those that are too long are left out.
[[nodiscard]] Environment phase_environment(Environment base, const Config& config,
                                            const std::map<std::string, SecretString>& secrets);

/// What a submitter should know of the secrets that this phase gets or should get: which are refused, empty or too
/// long. A line each, without a value. Not of those that the lab gives instead.
[[nodiscard]] std::string notes_on_secrets(const Job& job, Phase phase, const Config& config,
                                           const std::map<std::string, SecretString>& given = {});

/// Says that Linux does not start a command with so much environment, which variables are the longest; "" if it does.
[[nodiscard]] std::string note_on_size(const Environment& environment, std::size_t limit);

}  // namespace trebuchet
