#pragma once

#include "provision/stages/stage.hpp"

#include <filesystem>
#include <string>
#include <variant>

#include <tl/expected.hpp>

namespace trebuchet {

/// `TYPE STAGE -c CONFIG JOB`
struct StageArguments {
    std::string type;  ///< one of connector_types()
    Stage stage = Stage::provision;
    std::filesystem::path config;
    std::filesystem::path job;
};

/// `check -c CONFIG [TYPE]`
struct CheckArguments {
    std::filesystem::path config;
    std::string type;  ///< one of connector_types(); "": check for all types
};

/// `console -c CONFIG`
struct ConsoleArguments {
    std::filesystem::path config;
};

/// For `list`, `--help`, `TYPE --help` and `--version`: print this on stdout and exit with 0.
struct Answer {
    std::string text;
};

/// Invalid arguments: print this on stderr and exit with exit_usage_error.
struct UsageError {
    std::string text;
};

using Arguments = std::variant<StageArguments, CheckArguments, ConsoleArguments, Answer>;

[[nodiscard]] tl::expected<Arguments, UsageError> parse_command_line(int argc, const char* const* argv);

}  // namespace trebuchet
