#pragma once

#include "agent/config/config.hpp"

#include <string>

namespace trebuchet {

/// The commands that make Vault trust the agent's identities: auth method, role and policy, with the paths that the
/// grants refer to.
[[nodiscard]] std::string commands_for_vault(const Config& config, const std::string& public_key);

}  // namespace trebuchet
