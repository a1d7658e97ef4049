#pragma once

#include "provision/stages/stage.hpp"

namespace trebuchet {

/// Runs the job's test_cmds; their output goes to ours. A list: runs each command by `sh -c`, continues after a
/// failure, and returns the last exit code. A script: written to `tf_cmd_script` (0700), with a bash shebang if it has
/// none.
[[nodiscard]] StageResult runtest(StageContext& context);

}  // namespace trebuchet
