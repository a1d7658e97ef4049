#pragma once

#include <filesystem>

namespace trebuchet {

/// Reads the configuration as the daemon does, and says on stderr all that is wrong with it, and on stdout that it is
/// not. Returns the exit code: 0, or 2 if it is wrong.
int check_config_command(const std::filesystem::path& config);

}  // namespace trebuchet
