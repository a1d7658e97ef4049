#pragma once

#include "common/base/clock.hpp"
#include "tests/labserver/store/data_file.hpp"
#include "tests/labserver/store/identity.hpp"

#include <array>
#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include <tl/expected.hpp>

namespace trebuchet::labserver {

struct TokenLifetimes {
    std::chrono::seconds access{600};
    std::chrono::seconds refresh{std::chrono::hours(6 * 24)};
};

/// Access tokens are JSON web tokens signed with HMAC-SHA-256 (RFC 7519, HS256). Refresh tokens are random and stored.
class Tokens {
  public:
    enum class AccessFault { expired, invalid };
    enum class RefreshFault { unknown, revoked, expired };

    /// Starts with a random key.
    Tokens(const Clock& clock, TokenLifetimes lifetimes);

    /// Loads the store from the file, and from then on saves every change in it. The file must outlive the store.
    [[nodiscard]] Result<void> keep_in(DataFile& data);

    [[nodiscard]] std::string issue_access(const Identity& identity) const;
    [[nodiscard]] tl::expected<Identity, AccessFault> identify(std::string_view access_token) const;

    [[nodiscard]] std::string issue_refresh(const std::string& client_id);
    /// Returns the id of the client that the token was issued to.
    [[nodiscard]] tl::expected<std::string, RefreshFault> redeem(const std::string& refresh_token) const;
    [[nodiscard]] tl::expected<void, RefreshFault> revoke(const std::string& refresh_token);

    /// Makes a new key: all existing access tokens become invalid, refresh tokens stay valid.
    void rotate_key();

    [[nodiscard]] const TokenLifetimes& lifetimes() const { return lifetimes_; }

  private:
    struct Refresh {
        std::string client_id;
        std::chrono::system_clock::time_point expires;
        bool revoked = false;
    };
    void keep(const std::string& refresh_token) const;
    void keep_key() const;
    [[nodiscard]] std::string signature(std::string_view text) const;

    const Clock& clock_;
    TokenLifetimes lifetimes_;
    std::array<unsigned char, 32> key_{};
    std::map<std::string, Refresh, std::less<>> refresh_;
    DataFile* data_ = nullptr;
};

}  // namespace trebuchet::labserver
