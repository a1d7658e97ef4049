#pragma once

#include "common/base/result.hpp"
#include "common/process/environment.hpp"
#include "common/process/process.hpp"

#include <filesystem>
#include <string>

namespace trebuchet {

/// The user of `trebuchet.phase_user`.
struct PhaseUser {
    ProcessUser ids;
    std::string name;
    std::filesystem::path home;
    std::string shell;
};

/// Looks up the name. This may wait for the host's name service, so call it only at the start.
[[nodiscard]] Result<PhaseUser> find_phase_user(const std::string& name);

/// Checks that this program may run phases as this user: it is root, or has CAP_SETUID, CAP_SETGID, CAP_CHOWN, CAP_KILL
/// and CAP_DAC_OVERRIDE. Makes these capabilities ambient, so that supervisors get them.
[[nodiscard]] Result<void> prepare_for_phase_user(const PhaseUser& user);

/// Replaces the agent's variables that depend on the user, such as HOME.
void set_user_variables(Environment& environment, const PhaseUser& user);

/// Lets other users pass through this folder and the folders above it, as far as they are ours. Their content keeps its
/// own permissions. Fails if the user could not reach the folder, or could rename it or its content.
[[nodiscard]] Result<void> let_pass(const std::filesystem::path& folder, const ProcessUser& user);

/// Gives the folder and its content to the user. The content goes first, so that nothing changes hands while the user
/// can still change it. The folder must be ours until then.
[[nodiscard]] Result<void> give_tree(const std::filesystem::path& folder, const ProcessUser& user);

}  // namespace trebuchet
