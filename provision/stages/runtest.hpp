#pragma once

#include "provision/stages/stage.hpp"

namespace trebuchet {

/// Runs the job's test_cmds with their output as ours. A list: each by `sh -c`, going on after a failure; the exit code
/// is the last one's. A script: written to `tf_cmd_script` (0700), with a bash shebang if it has none.
[[nodiscard]] StageResult runtest(StageContext& context);

}  // namespace trebuchet
