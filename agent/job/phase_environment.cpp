#include "agent/job/phase_environment.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace trebuchet {
namespace {

constexpr std::size_t most_named = 3;

/// Includes refused ones.
std::map<std::string, const SecretVariable*> variables_of(const Job& job, Phase phase, const Config& config) {
    std::map<std::string, const SecretVariable*> variables;
    const auto take = [&](Phase from) {
        for (const auto& variable : job.data_of(from).secrets) variables[variable.name] = &variable;
    };
    const auto& phases = config.trebuchet.secret_phases;
    if (std::find(phases.begin(), phases.end(), name_of(phase)) != phases.end()) take(Phase::test);
    if (phase != Phase::test) take(phase);
    return variables;
}

std::size_t size_of(const std::string& name, const SecretString& value) {
    return name.size() + 1 + value.size();
}

std::string note_on(const SecretVariable& variable, JobFileSecrets job_file) {
    const auto warning = "WARNING: the secret " + variable.name;
    if (variable.is_refused) {
        return warning +
               " is left out: a variable of this name changes how programs run. The lab can allow it "
               "(trebuchet.allow_secret_names)\n";
    }
    if (variable.value.empty()) {
        return warning + " arrived empty: it does not exist at the server, has expired, or is not yours\n";
    }
    const auto size = size_of(variable.name, variable.value);
    if (size <= longest_variable) return "";
    return warning + " is not in the environment: NAME=value has " + std::to_string(size) + " bytes, and Linux takes " +
           std::to_string(longest_variable) +
           (job_file == JobFileSecrets::tmpfs ? "; it is in testflinger.json only\n" : "\n");
}

}  // namespace

std::map<std::string, SecretString> secrets_of_phase(const Job& job, Phase phase, const Config& config) {
    std::map<std::string, SecretString> secrets;
    for (const auto& [name, variable] : variables_of(job, phase, config)) {
        if (!variable->is_refused) secrets[name] = variable->value.clone();
    }
    return secrets;
}

Environment phase_environment(Environment base, const Config& config,
                              const std::map<std::string, SecretString>& secrets) {
    for (const auto* prefix : {"VAULT_", "BAO_", "SECRET_", "WATCHDOG_", "LISTEN_"}) base.unset_prefix(prefix);
    for (const auto* name : {"CREDENTIALS_DIRECTORY", "NOTIFY_SOCKET", "RUNTIME_DIRECTORY", "STATE_DIRECTORY"})
        base.unset(name);
    for (const auto& name : config.trebuchet.secrets.environment) base.unset(name);
    for (const auto& [name, value] : config.exported) base.set(name, value);
    for (const auto& [name, value] : secrets) {
        if (size_of(name, value) <= longest_variable) base.set(name, value.reveal());
    }
    return base;
}

std::string notes_on_secrets(const Job& job, Phase phase, const Config& config,
                             const std::map<std::string, SecretString>& given) {
    std::string notes;
    for (const auto& [name, variable] : variables_of(job, phase, config)) {
        if (given.contains(name)) continue;
        notes += note_on(*variable, config.trebuchet.job_file_secrets);
    }
    return notes;
}

std::string note_on_size(const Environment& environment, std::size_t limit) {
    std::vector<std::pair<std::size_t, std::string>> sizes;
    std::size_t total = 0;
    for (const auto& [name, value] : environment.variables()) {
        sizes.emplace_back(size_of(name, value), name);
        total += sizes.back().first + 1 + sizeof(char*);
    }
    if (total <= limit) return "";
    std::sort(sizes.rbegin(), sizes.rend());
    sizes.resize(std::min(sizes.size(), most_named));
    std::string longest;
    for (const auto& [size, name] : sizes) {
        longest += (longest.empty() ? "" : ", ") + name + " (" + std::to_string(size) + ")";
    }
    return "WARNING: the environment has " + std::to_string(total) + " bytes, and Linux takes " +
           std::to_string(limit) + " for all variables and the command together: the longest are " + longest + "\n";
}

}  // namespace trebuchet
