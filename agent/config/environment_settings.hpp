#pragma once

#include "agent/config/load_config.hpp"

#include <functional>

namespace trebuchet {

/// Sets missing keys from the environment:
///
///     trebuchet.tls.ca_file       $REQUESTS_CA_BUNDLE: the reference agent's HTTP library reads it, so labs with
///                                 their own CA set it
///     execution_basedir           $STATE_DIRECTORY/run, and logging_basedir and results_basedir …/logs and …/results:
///                                 a service of systemd has its folders below it, and often a /tmp of its own, which
///                                 does not outlive it
///     trebuchet.secrets.vault.…   see vault_environment.hpp
///     trebuchet.secret_key_file   the systemd credential $CREDENTIALS_DIRECTORY/secret_key, if client_id is set
///
/// `getenv` returns null for an unset variable.
void read_environment(const std::function<const char*(const char*)>& getenv, LoadedConfig& loaded);

}  // namespace trebuchet
