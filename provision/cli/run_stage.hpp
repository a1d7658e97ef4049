#pragma once

#include "provision/cli/command_line.hpp"

namespace trebuchet {

/// One stage from start to end, in the current folder: reads the files, writes device-info.json, runs the stage, writes
/// what went wrong to stderr and into device-connector-error.json. Returns the exit code.
/// SignalInterrupt::block_signals must have been called.
[[nodiscard]] int run_stage(const StageArguments& arguments);

/// `check`: what is wrong with a configuration to stderr, one line each. Returns 0 if nothing is, warnings aside,
/// else 1.
[[nodiscard]] int check_config_file(const CheckArguments& arguments);

}  // namespace trebuchet
