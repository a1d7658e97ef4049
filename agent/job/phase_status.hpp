#pragma once

#include "agent/job/phase.hpp"

#include <map>
#include <string>

#include <nlohmann/json.hpp>

namespace trebuchet {

/// Exit codes of the phases that have ended so far.
using PhaseStatus = std::map<Phase, int>;

/// {"setup": 0}: the format of the API, the outcome file and the journal.
[[nodiscard]] inline nlohmann::json status_json(const PhaseStatus& status) {
    auto by_phase = nlohmann::json::object();
    for (const auto& [phase, code] : status) by_phase[std::string(name_of(phase))] = code;
    return by_phase;
}

}  // namespace trebuchet
