#pragma once

#include <filesystem>

namespace trebuchet {

struct CheckConfigOptions {
    std::filesystem::path config = "testflinger-agent.conf";
    std::filesystem::path token_file = "/var/lib/testflinger-agent/refresh_token";
    bool show = false;    ///< print every setting with its value and source
    bool online = false;  ///< also check this host and the server, as the agent would use them
    bool json = false;    ///< with `online`: print the findings as a JSON array
};

/// Reads the configuration like the daemon. Prints all problems on stderr, and what makes this host weak against its
/// jobs. On success prints a summary on stdout or,
/// with `show`, one line per setting: `KEY = VALUE  (SOURCE)`. Masks well-known credentials, such as the password in a
/// URL. With `online`, prints a line for each check instead: ok, warning or error. Returns 0, 2 if the configuration is
/// invalid, or 1 if an online check found an error.
int check_config_command(const CheckConfigOptions& options);

}  // namespace trebuchet
