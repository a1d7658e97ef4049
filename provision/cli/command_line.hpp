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
    std::string type;  ///< one of connector_types(), or "": of any
};

/// `list`, `--help`, `TYPE --help`, `--version`: text for stdout, and nothing more to do.
struct Answer {
    std::string text;
};

/// What is wrong with the arguments, for stderr; the exit code is then 2.
struct UsageError {
    std::string text;
};

using Arguments = std::variant<StageArguments, CheckArguments, Answer>;

[[nodiscard]] tl::expected<Arguments, UsageError> parse_command_line(int argc, const char* const* argv);

}  // namespace trebuchet
