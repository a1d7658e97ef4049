#include "agent/job/phase_environment.hpp"

#include <algorithm>

namespace trebuchet {

std::map<std::string, SecretString> secrets_of_phase(const Job& job, Phase phase, const Config& config) {
    std::map<std::string, SecretString> secrets;
    const auto& phases = config.trebuchet.secret_phases;
    if (std::find(phases.begin(), phases.end(), name_of(phase)) != phases.end()) {
        for (const auto& variable : job.data_of(Phase::test).secrets) secrets[variable.name] = variable.value.clone();
    }
    if (phase != Phase::test) {
        for (const auto& variable : job.data_of(phase).secrets) secrets[variable.name] = variable.value.clone();
    }
    return secrets;
}

Environment phase_environment(Environment base, const Config& config,
                              const std::map<std::string, SecretString>& secrets) {
    for (const auto* prefix : {"VAULT_", "BAO_", "SECRET_", "WATCHDOG_", "LISTEN_"}) base.unset_prefix(prefix);
    for (const auto* name : {"CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET", "RUNTIME_DIRECTORY", "STATE_DIRECTORY"})
        base.unset(name);
    for (const auto& [name, value] : config.exported) base.set(name, value);
    for (const auto& [name, value] : secrets) base.set(name, value.reveal());
    return base;
}

}  // namespace trebuchet
