#pragma once

#include "agent/config/load_config.hpp"

#include <functional>

namespace trebuchet {

/// Fills in what the configuration leaves out and the environment has:
///
///     trebuchet.tls.ca_file       $REQUESTS_CA_BUNDLE, which the reference agent's HTTP library reads, so that labs
///                                 with a CA of their own have it set
///     trebuchet.secret_key_file   the systemd credential `secret_key`, $CREDENTIALS_DIRECTORY/secret_key, if there is
///                                 a client_id to log in with it
///
/// `getenv`: null for a variable that is not set.
void read_environment(const std::function<const char*(const char*)>& getenv, LoadedConfig& loaded);

}  // namespace trebuchet
