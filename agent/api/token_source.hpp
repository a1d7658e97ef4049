#pragma once

#include "agent/api/access_token.hpp"
#include "common/base/clock.hpp"
#include "common/http/http_client.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <tuple>

namespace trebuchet {

/// By what the agent proves who it is.
struct Credentials {
    std::filesystem::path token_file;  ///< a token manager's {"refresh_token": "…"}
    std::string client_id;             ///< if set, the agent logs in by itself, and `token_file` is not looked at
    std::filesystem::path secret_key_file;
};

/// Gets access tokens: for the refresh token in a file, which is read again each time, or by logging in. After a login
/// its refresh token is used until the server does not take it any more. Lives on the loop's thread.
class TokenSource {
  public:
    /// Nothing: there is no token file, which means to go on anonymous.
    using Answer = Result<std::optional<AccessToken>>;

    TokenSource(const Clock& clock, HttpClient& http, Credentials credentials);

    /// `done` is called once, at once or on the loop. One at a time.
    void ask(const std::function<void(Answer)>& done);

    /// Whether the file with the token or the key is another one than when it was last read.
    [[nodiscard]] bool has_changed() const;

    /// The one that holds the token or the key.
    [[nodiscard]] const std::filesystem::path& file() const;

  private:
    /// Device, inode, size and time of change of a file; zeros if there is none.
    using Stamp = std::tuple<unsigned long, unsigned long, long, long, long>;

    void refresh(const SecretString& refresh_token, std::function<void(Answer)> refused,
                 std::function<void(Answer)> done);
    void log_in(const std::function<void(Answer)>& done);
    [[nodiscard]] Stamp stamp_of_file() const;

    const Clock& clock_;
    HttpClient& http_;
    Credentials credentials_;
    std::optional<SecretString> refresh_token_;  ///< from a login of ours
    Stamp last_read_{};
    bool told_of_exposure_ = false;
};

}  // namespace trebuchet
