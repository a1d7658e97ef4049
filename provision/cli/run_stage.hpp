#pragma once

#include "provision/cli/command_line.hpp"

namespace trebuchet {

/// Runs one stage in the current folder and returns the exit code. Writes device-info.json; an error goes to stderr and
/// into device-connector-error.json. Call SignalInterrupt::block_signals first.
[[nodiscard]] int run_stage(const StageArguments& arguments);

/// `check`: prints problems and warnings on stderr, one line each. Returns exit_failure if there is a problem; warnings
/// alone return exit_success.
[[nodiscard]] int check_config_file(const CheckArguments& arguments);

/// `console`: copies the device's serial console to stdout until we are told to stop. Its own messages go to stderr.
/// SignalInterrupt::block_signals must have been called.
[[nodiscard]] int print_console(const ConsoleArguments& arguments);

}  // namespace trebuchet
