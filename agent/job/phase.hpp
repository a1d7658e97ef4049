#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace trebuchet {

/// The steps of a job, in the order in which they run.
enum class Phase { setup, provision, firmware_update, test, allocate, reserve, cleanup };

/// All phases except cleanup, which runs however the others end.
inline constexpr std::array main_phases{Phase::setup, Phase::provision, Phase::firmware_update,
                                        Phase::test,  Phase::allocate,  Phase::reserve};
inline constexpr std::array all_phases{Phase::setup,    Phase::provision, Phase::firmware_update, Phase::test,
                                       Phase::allocate, Phase::reserve,   Phase::cleanup};

/// The spelling in the API and in the files of a job.
[[nodiscard]] constexpr std::string_view name_of(Phase phase) {
    switch (phase) {
        case Phase::setup:
            return "setup";
        case Phase::provision:
            return "provision";
        case Phase::firmware_update:
            return "firmware_update";
        case Phase::test:
            return "test";
        case Phase::allocate:
            return "allocate";
        case Phase::reserve:
            return "reserve";
        case Phase::cleanup:
            return "cleanup";
    }
    return "";
}

[[nodiscard]] constexpr std::optional<Phase> phase_named(std::string_view name) {
    for (const Phase phase : all_phases) {
        if (name_of(phase) == name) return phase;
    }
    return std::nullopt;
}

}  // namespace trebuchet
