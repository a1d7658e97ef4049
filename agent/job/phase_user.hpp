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

/// Looks up the name, which may wait for the host's name service: for the start only.
[[nodiscard]] Result<PhaseUser> find_phase_user(const std::string& name);

/// Whether this program may run phases as this user: it is root, or has CAP_SETUID, CAP_SETGID, CAP_CHOWN, CAP_KILL and
/// CAP_DAC_OVERRIDE. Makes these capabilities ambient, so that its supervisors have them.
[[nodiscard]] Result<void> prepare_for_phase_user(const PhaseUser& user);

/// The variables that go with the user, in place of the agent's.
void set_user_variables(Environment& environment, const PhaseUser& user);

/// Lets other users pass through this folder of ours and those above it, as far as they are ours; what is in them keeps
/// its own permissions. Fails if the user could not reach the folder, or could rename it or what is in it.
[[nodiscard]] Result<void> let_pass(const std::filesystem::path& folder, const ProcessUser& user);

/// Gives the folder, with what is in it, to the user: contents first, so that nothing changes hands while the user can
/// still change it. It must be ours up to then.
[[nodiscard]] Result<void> give_tree(const std::filesystem::path& folder, const ProcessUser& user);

}  // namespace trebuchet
