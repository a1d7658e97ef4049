#pragma once

#include "agent/job/phase_status.hpp"
#include "common/process/process_tree.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// What is known about a job that was running when the agent was interrupted (killed, or the power was cut).
struct InterruptedJob {
    std::optional<Phase> entered;     ///< the last phase entered, with or without a command
    std::optional<Phase> running;     ///< its command had started, or was about to, and has not ended as far as known
    PhaseStatus status;               ///< of the phases that have ended
    std::vector<std::string> events;  ///< names of the events that were sent
    bool cancelled = false;
    bool has_run_folder = false;   ///< the agent created it, so it may use and remove it
    bool masks_are_whole = false;  ///< all secrets are known, so files that a phase left can be sent
    bool may_clean_up = true;
    std::vector<Survivor> survivors{};  ///< processes of the job that could not be killed

    [[nodiscard]] bool has_event(std::string_view name) const {
        return std::find(events.begin(), events.end(), name) != events.end();
    }
    /// The phase whose log reports the interruption.
    [[nodiscard]] Phase last_phase() const { return running.value_or(entered.value_or(Phase::setup)); }
};

}  // namespace trebuchet
