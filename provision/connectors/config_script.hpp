#pragma once

#include "provision/stages/stage.hpp"

#include <string>

namespace trebuchet {

// Lists of commands in the configuration that select what a device boots. Each command has 60 s; the first that fails
// fails the stage, never with 46.

/// Splits each command into words and runs it without a shell.
[[nodiscard]] StageResult run_words(const std::string& key, StageContext& context);
/// Runs each command by /bin/sh.
[[nodiscard]] StageResult run_by_shell(const std::string& key, StageContext& context);

}  // namespace trebuchet
