#pragma once

#include "agent/job/phase.hpp"

#include <array>
#include <optional>
#include <string_view>

namespace trebuchet {

/// The state of a job at the server.
enum class JobState {
    unknown,  ///< the server does not say, or says something unknown to us
    waiting,
    setup,
    provision,
    firmware_update,
    test,
    allocate,
    allocated,
    reserve,
    cleanup,
    complete,   ///< final
    cancelled,  ///< final, and set by somebody else: never overwrite it
};

inline constexpr std::array all_job_states{JobState::unknown,   JobState::waiting,         JobState::setup,
                                           JobState::provision, JobState::firmware_update, JobState::test,
                                           JobState::allocate,  JobState::allocated,       JobState::reserve,
                                           JobState::cleanup,   JobState::complete,        JobState::cancelled};

/// The API's spelling; "" for unknown.
[[nodiscard]] constexpr std::string_view name_of(JobState state) {
    switch (state) {
        case JobState::unknown:
            return "";
        case JobState::waiting:
            return "waiting";
        case JobState::setup:
            return "setup";
        case JobState::provision:
            return "provision";
        case JobState::firmware_update:
            return "firmware_update";
        case JobState::test:
            return "test";
        case JobState::allocate:
            return "allocate";
        case JobState::allocated:
            return "allocated";
        case JobState::reserve:
            return "reserve";
        case JobState::cleanup:
            return "cleanup";
        case JobState::complete:
            return "complete";
        case JobState::cancelled:
            return "cancelled";
    }
    return "";
}

/// Servers also write "completed".
[[nodiscard]] constexpr JobState job_state_named(std::string_view name) {
    if (name == "completed") return JobState::complete;
    for (const JobState state : all_job_states) {
        if (name_of(state) == name) return state;
    }
    return JobState::unknown;
}

/// The state of a job while this phase runs.
[[nodiscard]] constexpr JobState state_of(Phase phase) {
    return job_state_named(name_of(phase));
}

[[nodiscard]] constexpr bool is_final(JobState state) {
    return state == JobState::complete || state == JobState::cancelled;
}

[[nodiscard]] constexpr JobState final_state(bool is_cancelled) {
    return is_cancelled ? JobState::cancelled : JobState::complete;
}

/// Applies the rule that nobody overwrites a cancelled job's state: returns what to post instead of `wanted` when the
/// server shows `shown`. A final state becomes "cancelled", which goes with the job's exit codes. Any other is not
/// posted.
[[nodiscard]] constexpr std::optional<JobState> state_to_post(JobState wanted, JobState shown) {
    if (shown != JobState::cancelled) return wanted;
    return is_final(wanted) ? std::optional(JobState::cancelled) : std::nullopt;
}

}  // namespace trebuchet
