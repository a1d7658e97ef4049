#pragma once

#include <filesystem>

namespace trebuchet {

struct CheckConfigOptions {
    std::filesystem::path config = "testflinger-agent.conf";
    std::filesystem::path token_file = "/var/lib/testflinger-agent/refresh_token";
    bool show = false;  ///< print every setting with its value and source
};

/// Reads the configuration like the daemon. Prints all problems on stderr, and what makes this host weak against its
/// jobs. On success prints a summary on stdout or,
/// with `show`, one line per setting: `KEY = VALUE  (SOURCE)`. Masks well-known credentials, such as the password in a
/// URL. Returns 0, or 2 if the configuration is invalid.
int check_config_command(const CheckConfigOptions& options);

}  // namespace trebuchet
