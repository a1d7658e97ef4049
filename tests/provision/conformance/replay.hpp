#pragma once

#include "tests/provision/conformance/effects.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace trebuchet::conformance {

/// What the program under test did.
struct Run {
    std::vector<Effect> effects;
    int exit_code = -1;
    nlohmann::json error_file;  ///< null if there is none
    std::string log;
    std::vector<std::string> without_limit;  ///< commands that hung and had no timeout
    int stopped_code = 0;   ///< exit code of the earlier run that was stopped; 1000 + signal if a signal killed it
    bool is_stuck = false;  ///< it hung and was killed
};

struct Programs {
    std::filesystem::path provision;  ///< the timeless trebuchet-provision
    std::filesystem::path double_;
};

/// Stops the program when it has begun this effect, counted from 0.
struct Stop {
    int signal = 0;
    std::size_t at = 0;
};

/// Runs the flow's stage in a new folder, with doubles that answer as recorded. With a `stop`, runs it twice: stops the
/// first run and returns what the second one did, with the first one's exit code in `stopped_code`.
[[nodiscard]] Run replay(const Flow& flow, const Programs& programs, const Stop& stop = {});

/// Describes how the run differs from the recording; "" if it does not.
[[nodiscard]] std::string difference(const Flow& flow, const Run& run);

/// True if the reference ended with one of Python's own exceptions, such as KeyError.
[[nodiscard]] bool has_crashed(const Flow& flow);
/// True if the reference crashed and both did the same until one of them ended.
[[nodiscard]] bool is_equal_until_crash(const Flow& flow, const Run& run);

}  // namespace trebuchet::conformance
