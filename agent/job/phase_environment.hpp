#pragma once

#include "agent/config/config.hpp"
#include "agent/job/job.hpp"
#include "agent/secrets/granted_secrets.hpp"
#include "common/process/environment.hpp"

#include <cstddef>
#include <map>
#include <string>

namespace trebuchet {

/// The secrets for this phase's command: its own `<phase>_data.secrets`, and `test_data.secrets` if the phase is in
/// `trebuchet.secret_phases`. Its own win. Refused ones are left out.
[[nodiscard]] std::map<std::string, SecretString> secrets_of_phase(const Job& job, Phase phase, const Config& config);

/// `base` (the agent's environment) without the agent's own variables, such as its credentials and those of its service
/// manager, plus the configuration's strings, plus the phase's secrets. Secrets that are too long are left out.
[[nodiscard]] Environment phase_environment(Environment base, const Config& config,
                                            const std::map<std::string, SecretString>& secrets);

/// Tells the submitter which secrets of this phase are refused, empty or too long: one line each, without a value.
/// Leaves out those that the lab gives instead.
[[nodiscard]] std::string notes_on_secrets(const Job& job, Phase phase, const Config& config,
                                           const std::map<std::string, SecretString>& given = {});

/// If Linux cannot start a command with this much environment, says so and names the longest variables; else "".
[[nodiscard]] std::string note_on_size(const Environment& environment, std::size_t limit);

}  // namespace trebuchet
