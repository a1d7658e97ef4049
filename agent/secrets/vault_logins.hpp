#pragma once

#include "agent/config/secrets_config.hpp"
#include "agent/secrets/job_identity.hpp"
#include "common/base/clock.hpp"
#include "common/vault/vault_client.hpp"
#include "common/vault/vault_login.hpp"

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>

namespace trebuchet {

inline constexpr const char* default_vault_address = "https://127.0.0.1:8200";

/// How to reach the configured Vault.
[[nodiscard]] VaultOptions vault_options(const VaultConfig& config, const std::string& user_agent);

/// Logs in to Vault for jobs, as the configuration says. Keeps what can be had only once, the secret_id of a wrapping
/// token, in memory: it should live as long as the agent. Use it on the loop's thread.
class VaultLogins {
  public:
    struct Parts {
        const Clock& clock;
        /// Null for an unset variable.
        std::function<const char*(const char*)> getenv;
        /// A credential that is to be masked from now on.
        std::function<void(const std::string& name, std::string_view value)> on_credential;
    };
    explicit VaultLogins(Parts parts) : parts_(std::move(parts)) {}

    /// Calls `done` once. Reads key, secret_id or token from their files each time. All of it must outlive the login.
    void log_in(const VaultConfig& config, const JobIdentity& identity, VaultClient& client, VaultLoginDone done);

    /// The signed identity of a job, for `login: jwt`.
    [[nodiscard]] VaultResult<SecretString> identity_token(const VaultConfig& config,
                                                           const JobIdentity& identity) const;

  private:
    void log_in_with_role(const VaultConfig& config, VaultClient& client, VaultLoginDone done);
    [[nodiscard]] VaultResult<SecretString> standing_token(const VaultConfig& config) const;

    Parts parts_;
    std::map<WipedString, SecretString> unwrapped_;  ///< by the wrapping token
};

}  // namespace trebuchet
