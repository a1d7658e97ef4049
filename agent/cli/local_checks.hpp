#pragma once

#include "agent/cli/finding.hpp"
#include "agent/config/config.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace trebuchet {

/// The folders that jobs need: writable for this user, not for every user, and with enough free space.
void check_folders(const Config& config, Findings& findings);

/// Whether the secrets of jobs can be locked in memory. `limit`: RLIMIT_MEMLOCK in bytes.
void check_locked_memory(std::uint64_t limit, Findings& findings);

/// The programs that the phases' commands begin with, and ssh where a connector needs it. `path`: as in $PATH.
void check_programs(const Config& config, const std::string& path, Findings& findings);

/// What host_weaknesses() finds, as warnings: cgroups, user, modes of credentials.
void check_host(const Config& config, const std::filesystem::path& config_file, const std::filesystem::path& token_file,
                Findings& findings);

}  // namespace trebuchet
