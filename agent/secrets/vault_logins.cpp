#include "agent/secrets/vault_logins.hpp"

#include "agent/config/vault_environment.hpp"
#include "common/file/private_file.hpp"
#include "common/vault/es256.hpp"

#include <algorithm>
#include <cctype>
#include <memory>
#include <random>
#include <utility>

namespace trebuchet {
namespace {

using Kind = VaultError::Kind;

constexpr std::size_t credential_limit = 65'536;

tl::unexpected<VaultError> refused(std::string text) {
    return tl::unexpected(VaultError{Kind::refused, 0, std::move(text)});
}

/// Without the line end that editors add, and other blanks around it.
VaultResult<SecretString> read_credential(const std::filesystem::path& file) {
    const auto text = read_private_file(file, credential_limit, FilePrivacy::own_file);
    if (!text) return refused(text.error().message());
    const auto bytes = text->reveal();
    const auto first = bytes.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return refused(file.string() + " is empty");
    return SecretString(bytes.substr(first, bytes.find_last_not_of(" \t\r\n") - first + 1));
}

std::string random_number() {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::random_device random;
    std::string number;
    for (int i = 0; i < 32; ++i) number += digits[random() & 0xFU];
    return number;
}

std::string mount_of(const VaultConfig& config, const char* default_mount) {
    return config.mount.empty() ? default_mount : config.mount;
}

std::string address_of(const VaultConfig& config) {
    return config.address.empty() ? default_vault_address : config.address;
}

}  // namespace

VaultOptions vault_options(const VaultConfig& config, const std::string& user_agent) {
    VaultOptions options;
    options.server.origin = address_of(config);
    options.server.ca_file = config.ca_file;
    options.server.client_cert = config.client_cert;
    options.server.client_key = config.client_key;
    options.server.server_name = config.server_name;
    options.server.user_agent = user_agent;
    options.name_space = config.name_space;
    options.timeout = config.timeout;
    options.max_retries = config.max_retries;
    return options;
}

void VaultLogins::log_in(const VaultConfig& config, const JobIdentity& identity, VaultClient& client,
                         VaultLoginDone done) {
    if (config.login == VaultLogin::approle) return log_in_with_role(config, client, std::move(done));
    if (config.login == VaultLogin::jwt) {
        const auto token = identity_token(config, identity);
        if (!token) return done(tl::unexpected(token.error()));
        return log_in_with_jwt(client, mount_of(config, "jwt"), config.role.empty() ? "trebuchet" : config.role,
                               token->reveal(), std::move(done));
    }
    const auto token = standing_token(config);
    if (!token) return done(tl::unexpected(token.error()));
    make_child_token(client, *token, config.token_ttl, std::move(done));
}

VaultResult<SecretString> VaultLogins::identity_token(const VaultConfig& config, const JobIdentity& identity) const {
    if (config.signing_key_file.empty()) {
        return refused(
            "login: jwt needs trebuchet.secrets.vault.signing_key_file; `trebuchet-agent secret identity` makes one");
    }
    const auto key = read_credential(config.signing_key_file);
    if (!key) return tl::unexpected(key.error());
    parts_.on_credential("agent's signing key", key->reveal());
    const auto issuer = config.issuer.empty() ? "trebuchet:" + identity.agent_id : config.issuer;
    const auto audience = config.audience.empty() ? address_of(config) : config.audience;
    const auto claims = claims_of(identity, issuer, audience, parts_.clock.wall_time(), random_number());
    const auto token = make_es256_token(key->reveal(), claims);
    if (!token) return refused(config.signing_key_file.string() + ": " + token.error().message());
    parts_.on_credential("job's identity", *token);
    return SecretString(*token);
}

void VaultLogins::log_in_with_role(const VaultConfig& config, VaultClient& client, VaultLoginDone done) {
    const auto mount = mount_of(config, "approle");
    if (config.secret_id_file.empty()) {
        return log_in_with_approle(client, mount, config.role_id, "", std::move(done));
    }
    const auto credential = read_credential(config.secret_id_file);
    if (!credential) return done(tl::unexpected(credential.error()));
    parts_.on_credential("agent's secret_id", credential->reveal());
    if (!config.secret_id_is_wrapped) {
        return log_in_with_approle(client, mount, config.role_id, credential->reveal(), std::move(done));
    }
    const WipedString wrapping(credential->reveal());
    if (const auto known = unwrapped_.find(wrapping); known != unwrapped_.end()) {
        return log_in_with_approle(client, mount, config.role_id, known->second.reveal(), std::move(done));
    }
    unwrap_secret_id(client, mount, *credential,
                     [this, &client, mount, role_id = config.role_id, wrapping,
                      done = std::move(done)](VaultResult<SecretString> secret_id) {
                         if (!secret_id) return done(tl::unexpected(secret_id.error()));
                         parts_.on_credential("agent's unwrapped secret_id", secret_id->reveal());
                         const auto& kept = unwrapped_[wrapping] = std::move(*secret_id);
                         log_in_with_approle(client, mount, role_id, kept.reveal(), done);
                     });
}

VaultResult<SecretString> VaultLogins::standing_token(const VaultConfig& config) const {
    auto token = [&]() -> VaultResult<SecretString> {
        if (!config.token_file.empty()) return read_credential(config.token_file);
        const char* variable = vault_variable(parts_.getenv, "TOKEN");
        if (variable != nullptr && *variable != '\0') return SecretString(variable);
        const char* home = parts_.getenv("HOME");
        const auto file = std::filesystem::path(home == nullptr ? "" : home) / ".vault-token";
        std::error_code error;
        if (home != nullptr && std::filesystem::exists(file, error)) return read_credential(file);
        return refused("login: token needs trebuchet.secrets.vault.token_file, $VAULT_TOKEN or ~/.vault-token");
    }();
    if (token) parts_.on_credential("agent's Vault token", token->reveal());
    return token;
}

}  // namespace trebuchet
