#pragma once

#include "agent/config/config.hpp"
#include "agent/job/own_secrets.hpp"

#include <filesystem>

namespace trebuchet {

/// Tells of everything that an agent with this configuration authenticates itself with: the token file, key files,
/// systemd's credentials, the proxies in its environment.
void watch_own_secrets(OwnSecrets& own, const TrebuchetConfig& config, const std::filesystem::path& token_file);

}  // namespace trebuchet
