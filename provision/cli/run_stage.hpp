#pragma once

#include "provision/cli/command_line.hpp"

namespace trebuchet {

/// One stage from start to end, in the current folder: reads the files, writes device-info.json, runs the stage, writes
/// what went wrong to stderr and into device-connector-error.json. Returns the exit code.
/// SignalInterrupt::block_signals must have been called.
[[nodiscard]] int run_stage(const StageArguments& arguments);

}  // namespace trebuchet
