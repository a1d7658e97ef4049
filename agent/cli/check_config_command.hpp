#pragma once

#include <filesystem>

namespace trebuchet {

struct CheckConfigOptions {
    std::filesystem::path config = "testflinger-agent.conf";
    bool show = false;  ///< print every setting, its value and where the value comes from
};

/// Reads the configuration as the daemon does. Prints on stderr everything that is wrong with it, and on stdout that it
/// is fine, or with `show` one line for each setting: `KEY = VALUE  (SOURCE)`. Credentials that are known by how they
/// look, such as the password in a URL, are masked. Returns the exit code: 0, or 2 if the configuration is wrong.
int check_config_command(const CheckConfigOptions& options);

}  // namespace trebuchet
