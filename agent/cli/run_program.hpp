#pragma once

#include <string>
#include <vector>

namespace trebuchet {

/// Runs a program of the host to its end, with this terminal, this environment and no shell. Returns its exit code, or
/// 127 if it cannot be started; a signal counts as 128 + its number. Not for the daemon: it waits.
int run_program(const std::vector<std::string>& arguments);

}  // namespace trebuchet
