#pragma once

#include <filesystem>

namespace trebuchet {

struct CheckConfigOptions {
    std::filesystem::path config = "testflinger-agent.conf";
    std::filesystem::path token_file = "/var/lib/testflinger-agent/refresh_token";
    bool online = false;  ///< also read each secret that a grant refers to
    bool show = false;    ///< print every setting with its value and source
};

/// Reads the configuration like the daemon. Prints all problems on stderr, and what makes this host weak against its
/// jobs. With `online`, prints for each reference of a grant whether it can be read. On success prints a summary on
/// stdout or, with `show`, one line per setting: `KEY = VALUE  (SOURCE)`. Masks well-known credentials, such as the
/// password in a URL. Returns 0, or 2 if the configuration is invalid or a secret cannot be read.
int check_config_command(const CheckConfigOptions& options);

}  // namespace trebuchet
