#pragma once

#include "common/vault/vault_client.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace trebuchet {

/// A token that a login gave.
struct VaultToken {
    SecretString value;
    std::string accessor;              ///< names the token without being it; "" for a batch token
    std::chrono::seconds lifetime{0};  ///< from the login on; 0: for ever
    bool is_renewable = false;
    bool is_revocable = true;  ///< false: a batch token, which ends only by itself
};

using VaultLoginDone = std::function<void(VaultResult<VaultToken>)>;

/// Each calls `done` once, on the loop. `mount`: of the auth method, such as "jwt".
void log_in_with_jwt(VaultClient& client, const std::string& mount, const std::string& role, std::string_view jwt,
                     VaultLoginDone done);
/// `secret_id`: "" for a role without one.
void log_in_with_approle(VaultClient& client, const std::string& mount, std::string_view role_id,
                         std::string_view secret_id, VaultLoginDone done);
/// Makes a token for one job from one that stands; it has the same policies.
void make_child_token(VaultClient& client, const SecretString& parent, std::chrono::seconds ttl, VaultLoginDone done);

/// Takes the secret_id out of a response-wrapping token of auth/<mount>/role/…/secret-id. Looks at where it was made
/// first: another place means that somebody exchanged it. A token that was unwrapped before means that somebody may
/// have read the secret_id.
void unwrap_secret_id(VaultClient& client, const std::string& mount, const SecretString& wrapping_token,
                      std::function<void(VaultResult<SecretString>)> done);

/// Ends the token, and with it all that it leased, in one try of at most `timeout`.
void revoke(VaultClient& client, const SecretString& token, std::chrono::milliseconds timeout,
            std::function<void(VaultResult<SecretJson>)> done);
/// Ends another token, which this accessor names.
void revoke_accessor(VaultClient& client, const SecretString& token, const std::string& accessor,
                     std::function<void(VaultResult<SecretJson>)> done);
/// The token's new lifetime.
void renew(VaultClient& client, const SecretString& token, std::function<void(VaultResult<std::chrono::seconds>)> done);

}  // namespace trebuchet
