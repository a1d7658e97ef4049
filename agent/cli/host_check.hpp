#pragma once

#include "agent/config/config.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace trebuchet {

/// What makes this host weaker against its jobs than it could be, one sentence for each: no cgroups, limits without
/// their controllers, a user who is root or has other agents, credentials that everybody can read. As the user and in
/// the cgroup of this process.
[[nodiscard]] std::vector<std::string> host_weaknesses(const Config& config, const std::filesystem::path& config_file,
                                                       const std::filesystem::path& token_file);

/// Why the private keys of `trebuchet.secrets.repositories` are open to jobs, or of no use here; they are in
/// host_weaknesses(), too.
[[nodiscard]] std::vector<std::string> key_weaknesses(const Config& config);

}  // namespace trebuchet
