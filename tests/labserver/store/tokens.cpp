#include "tests/labserver/store/tokens.hpp"

#include "tests/labserver/text/base64.hpp"

#include <algorithm>
#include <optional>
#include <stdexcept>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

namespace trebuchet::labserver {
namespace {

void fill_randomly(unsigned char* data, std::size_t size) {
    if (RAND_bytes(data, static_cast<int>(size)) != 1) throw std::runtime_error("OpenSSL has no random bytes");
}

std::int64_t seconds_since_epoch(std::chrono::system_clock::time_point time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

std::optional<Json> decoded_object(std::string_view part) {
    const auto bytes = base64_decoded(part);
    if (!bytes) return std::nullopt;
    auto value = parse_json(*bytes);
    if (!value || !value->is_object()) return std::nullopt;
    return std::move(*value);
}

bool has_integer(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_number_integer();
}

constexpr const char* refresh_table = "refresh tokens";
constexpr const char* key_table = "signing key";

}  // namespace

Tokens::Tokens(const Clock& clock, TokenLifetimes lifetimes) : clock_(clock), lifetimes_(lifetimes) {
    rotate_key();
}

Result<void> Tokens::keep_in(DataFile& data) {
    data_ = &data;
    auto read = data.for_each(key_table, [this](const std::string&, const Json&, std::string_view bytes) {
        if (bytes.size() == key_.size()) std::copy(bytes.begin(), bytes.end(), key_.begin());
    });
    if (!read) return read;
    keep_key();
    return data.for_each(refresh_table, [this](const std::string& token, const Json& row, std::string_view) {
        refresh_[token] = {row.at("client").get<std::string>(), time_from(row.at("expires")),
                           row.at("revoked").get<bool>()};
    });
}

void Tokens::keep(const std::string& refresh_token) const {
    if (data_ == nullptr) return;
    const auto& token = refresh_.find(refresh_token)->second;
    data_->put(refresh_table, refresh_token,
               {{"client", token.client_id}, {"expires", stored(token.expires)}, {"revoked", token.revoked}});
}

void Tokens::keep_key() const {
    if (data_ != nullptr) data_->put(key_table, "", nullptr, std::string(key_.begin(), key_.end()));
}

std::string Tokens::issue_access(const Identity& identity) const {
    const auto now = seconds_since_epoch(clock_.wall_time());
    const Json payload = {{"exp", now + lifetimes_.access.count()},
                          {"iat", now},
                          {"sub", "access_token"},
                          {"permissions",
                           {{"client_id", identity.client_id},
                            {"role", name_of(identity.role)},
                            {"max_priority", identity.max_priority},
                            {"max_reservation_time", identity.max_reservation_time}}}};
    const auto text = base64url(R"({"alg":"HS256","typ":"JWT"})") + "." + base64url(to_text(payload));
    return text + "." + base64url(signature(text));
}

tl::expected<Identity, Tokens::AccessFault> Tokens::identify(std::string_view access_token) const {
    const auto invalid = tl::make_unexpected(AccessFault::invalid);
    const auto last_dot = access_token.rfind('.');
    const auto first_dot = access_token.find('.');
    if (last_dot == std::string_view::npos || first_dot == last_dot) return invalid;
    const auto expected = signature(access_token.substr(0, last_dot));
    const auto given = base64_decoded(access_token.substr(last_dot + 1));
    if (!given || given->size() != expected.size()) return invalid;
    if (CRYPTO_memcmp(given->data(), expected.data(), expected.size()) != 0) return invalid;

    const auto header = decoded_object(access_token.substr(0, first_dot));
    const auto payload = decoded_object(access_token.substr(first_dot + 1, last_dot - first_dot - 1));
    if (!header || string_at(*header, "alg") != "HS256") return invalid;
    if (!payload || !has_integer(*payload, "exp") || !payload->contains("permissions")) return invalid;
    if ((*payload)["exp"].get<std::int64_t>() <= seconds_since_epoch(clock_.wall_time())) {
        return tl::make_unexpected(AccessFault::expired);
    }
    const auto& permissions = (*payload)["permissions"];
    const auto role = role_named(string_at(permissions, "role"));
    Identity identity;
    identity.client_id = string_at(permissions, "client_id");
    if (!role || identity.anonymous()) return invalid;
    identity.role = *role;
    identity.max_priority = permissions.value("max_priority", Json::object());
    identity.max_reservation_time = permissions.value("max_reservation_time", Json::object());
    return identity;
}

std::string Tokens::issue_refresh(const std::string& client_id) {
    std::array<unsigned char, 48> bytes{};
    fill_randomly(bytes.data(), bytes.size());
    auto token = base64url(std::string(bytes.begin(), bytes.end()));
    refresh_[token] = {client_id, clock_.wall_time() + lifetimes_.refresh};
    keep(token);
    return token;
}

tl::expected<std::string, Tokens::RefreshFault> Tokens::redeem(const std::string& refresh_token) const {
    const auto found = refresh_.find(refresh_token);
    if (found == refresh_.end()) return tl::make_unexpected(RefreshFault::unknown);
    if (found->second.revoked) return tl::make_unexpected(RefreshFault::revoked);
    if (found->second.expires < clock_.wall_time()) return tl::make_unexpected(RefreshFault::expired);
    return found->second.client_id;
}

tl::expected<void, Tokens::RefreshFault> Tokens::revoke(const std::string& refresh_token) {
    const auto found = refresh_.find(refresh_token);
    if (found == refresh_.end()) return tl::make_unexpected(RefreshFault::unknown);
    if (found->second.revoked) return tl::make_unexpected(RefreshFault::revoked);
    found->second.revoked = true;
    keep(refresh_token);
    return {};
}

void Tokens::rotate_key() {
    fill_randomly(key_.data(), key_.size());
    keep_key();
}

std::string Tokens::signature(std::string_view text) const {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    const std::string bytes(text);
    if (HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
             static_cast<const unsigned char*>(static_cast<const void*>(bytes.data())), bytes.size(), digest.data(),
             &length) == nullptr) {
        throw std::runtime_error("OpenSSL cannot compute HMAC-SHA-256");
    }
    return {digest.begin(), digest.begin() + length};
}

}  // namespace trebuchet::labserver
