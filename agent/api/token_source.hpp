#pragma once

#include "agent/api/access_token.hpp"
#include "agent/job/own_secrets.hpp"
#include "common/base/clock.hpp"
#include "common/http/http_client.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>

namespace trebuchet {

/// How the agent authenticates.
struct Credentials {
    std::filesystem::path token_file;  ///< {"refresh_token": "…"}, written by a token manager
    std::string client_id;             ///< if set, the agent logs in itself and ignores `token_file`
    std::filesystem::path secret_key_file;
    /// Gets each token and key, to mask it.
    std::shared_ptr<OwnSecrets> own = std::make_shared<OwnSecrets>();
};

/// Gets access tokens, either with the refresh token in a file, which is read each time, or by logging in. After a
/// login it uses the login's refresh token until the server refuses it. Use it on the loop's thread.
class TokenSource {
  public:
    /// nullopt: there is no token file, so the agent is anonymous.
    using Answer = Result<std::optional<AccessToken>>;

    TokenSource(const Clock& clock, HttpClient& http, Credentials credentials);

    /// Calls `done` once, at once or later on the loop. One request at a time.
    void ask(const std::function<void(Answer)>& done);

    /// True if the file with the token or the key has changed since it was last read.
    [[nodiscard]] bool has_changed() const;

    /// The file with the token or the key.
    [[nodiscard]] const std::filesystem::path& file() const;

  private:
    /// Device, inode, size and modification time of a file; zeros if it does not exist.
    using Stamp = std::tuple<unsigned long, unsigned long, long, long, long>;

    void refresh(const SecretString& refresh_token, std::function<void(Answer)> refused,
                 std::function<void(Answer)> done);
    void log_in(const std::function<void(Answer)>& done);
    [[nodiscard]] Answer take_access_token(std::string_view answer);
    [[nodiscard]] Stamp stamp_of_file() const;

    const Clock& clock_;
    HttpClient& http_;
    Credentials credentials_;
    std::optional<SecretString> refresh_token_;  ///< from our login
    Stamp last_read_{};
    bool has_warned_of_exposure_ = false;
};

}  // namespace trebuchet
