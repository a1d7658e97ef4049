#pragma once

#include "common/base/result.hpp"

#include <filesystem>
#include <string>

namespace trebuchet {

/// This agent's runtime directory, 0700 and on tmpfs, for secrets that must not reach a disk. The first of these that
/// is on tmpfs and ours: $RUNTIME_DIRECTORY, /run/trebuchet/<agent_id>, $XDG_RUNTIME_DIR/trebuchet/<agent_id>,
/// /dev/shm/trebuchet-<uid>/<agent_id>.
[[nodiscard]] Result<std::filesystem::path> runtime_folder(const std::string& agent_id);

/// This agent's state directory, 0700, which survives a reboot: $STATE_DIRECTORY, else /var/lib/trebuchet/<agent_id>. A
/// user who may not create that gets $XDG_STATE_HOME/trebuchet/<agent_id> or $HOME/.local/state/trebuchet/<agent_id>.
[[nodiscard]] Result<std::filesystem::path> state_folder(const std::string& agent_id);

}  // namespace trebuchet
