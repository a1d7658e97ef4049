#pragma once

#include "common/base/result.hpp"

#include <filesystem>
#include <string>

namespace trebuchet {

/// A folder of this agent on tmpfs, 0700, for what must not reach a disk: $RUNTIME_DIRECTORY, else
/// /run/trebuchet/<agent_id>, else $XDG_RUNTIME_DIR/trebuchet/<agent_id>, else /dev/shm/trebuchet-<uid>/<agent_id>; the
/// first of them that is on tmpfs and ours.
[[nodiscard]] Result<std::filesystem::path> runtime_folder(const std::string& agent_id);

/// A folder of this agent for what lasts, 0700: $STATE_DIRECTORY, else /var/lib/trebuchet/<agent_id>, else, for who may
/// not make that, $XDG_STATE_HOME/trebuchet/<agent_id> or $HOME/.local/state/trebuchet/<agent_id>.
[[nodiscard]] Result<std::filesystem::path> state_folder(const std::string& agent_id);

}  // namespace trebuchet
