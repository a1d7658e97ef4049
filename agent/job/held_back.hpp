#pragma once

#include <array>
#include <string>
#include <string_view>

namespace trebuchet {

/// A check that may keep the agent from taking jobs.
enum class Guard {
    disk,   ///< a folder that a job needs is full or not writable
    spool,  ///< too much of earlier jobs is not delivered yet
    clock,  ///< the time of day is wrong or has just been changed
    token,  ///< the token file or key file is unusable
};
inline constexpr std::array all_guards{Guard::disk, Guard::spool, Guard::clock, Guard::token};

[[nodiscard]] constexpr std::string_view name_of(Guard guard) {
    switch (guard) {
        case Guard::disk:
            return "disk";
        case Guard::spool:
            return "spool";
        case Guard::clock:
            return "clock";
        case Guard::token:
            return "token";
    }
    return "";
}

/// Why the agent takes no jobs now.
struct HeldBack {
    Guard by = Guard::disk;
    std::string reason;  ///< a sentence that says what to do
};

}  // namespace trebuchet
