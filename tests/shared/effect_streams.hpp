#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace trebuchet {

/// Our agent posts its own states and its provision log beside the rest of a job, so these are in order among
/// themselves only: puts the agent's effects behind the others, and the provision logs behind those.
[[nodiscard]] inline std::vector<nlohmann::json> in_streams(std::vector<nlohmann::json> effects) {
    const auto stream = [](const nlohmann::json& effect) {
        const auto& kind = effect[0].get_ref<const std::string&>();
        if (kind == "provision_log") return 2;
        return kind == "agent_state" || kind == "agent_job_id" ? 1 : 0;
    };
    std::stable_sort(effects.begin(), effects.end(),
                     [&](const auto& one, const auto& other) { return stream(one) < stream(other); });
    return effects;
}

}  // namespace trebuchet
