#pragma once

#include "provision/serial/serial_capture.hpp"
#include "provision/stages/stage.hpp"

#include <chrono>
#include <string>

namespace trebuchet {

// Commands on a shell that waits on the device's console: tests of a device without network.

/// Runs a command in the device's shell. Its output goes to `context.out`. The command's exit code. Steps:
///
/// 1. The command goes to the device as base64, in lines of 500 bytes, into a file in /tmp: no terminal garbles it, and
///    none is too long.
/// 2. `echo M''ARK:begin; sh FILE; echo MARK-run:$?` runs it. MARK is new for each command. The terminal's echo of this
///    line matches neither `MARK:begin` nor `MARK-run:[0-9]+`.
/// 3. What is printed between the two is the command's output. Each line is passed on as soon as it is complete.
[[nodiscard]] Result<int> run_on_console(const std::string& command, const std::string& mark,
                                         std::chrono::seconds timeout, StageContext& context);

/// The stage runtest: each of `test_cmds`, or the whole script, by run_on_console. The exit code of the last one. Each
/// has `console_test_timeout` (3600 s); 124 if it takes longer. The job's secrets and the environment of other test
/// commands are not there: everything on the console is logged.
[[nodiscard]] StageResult runtest_on_console(StageContext& context);

}  // namespace trebuchet
