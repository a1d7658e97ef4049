#pragma once

#include "agent/job/phase_status.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// What is known of a job that was in hand when the agent was interrupted.
struct InterruptedJob {
    std::optional<Phase> entered;     ///< the last one, whether it has a command or not
    std::optional<Phase> running;     ///< its command was started, or about to be, and its end is not known
    PhaseStatus status;               ///< of the phases that ended
    std::vector<std::string> events;  ///< names of those that were sent
    bool cancelled = false;
    bool masks_are_whole = false;  ///< what a phase left behind can be sent
    bool may_clean_up = true;

    [[nodiscard]] bool has_event(std::string_view name) const {
        return std::find(events.begin(), events.end(), name) != events.end();
    }
    /// The phase in whose log the interruption is noted.
    [[nodiscard]] Phase last_phase() const { return running.value_or(entered.value_or(Phase::setup)); }
};

}  // namespace trebuchet
