#pragma once

#include "common/event/event_loop.hpp"
#include "common/http/http_client.hpp"
#include "common/secret/secret_json.hpp"
#include "common/secret/secret_string.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include <tl/expected.hpp>

namespace trebuchet {

struct VaultOptions {
    HttpOptions server;  ///< `origin` is Vault's address
    std::string name_space;
    std::chrono::milliseconds timeout{60'000};  ///< of one try
    int max_retries = 2;
};

struct VaultRequest {
    HttpRequest::Method method = HttpRequest::Method::get;
    std::string path;                      ///< behind /v1/
    const SecretString* token = nullptr;   ///< null: none. Need not outlive send()
    WipedString body{};                    ///< JSON, of a post
    std::chrono::milliseconds timeout{0};  ///< of one try; 0: the client's
    int max_retries = -1;                  ///< -1: the client's
    bool makes_token = false;              ///< sent again only if it cannot have arrived: each one makes another token
};

struct VaultError {
    enum class Kind {
        missing,      ///< 404
        denied,       ///< 403
        refused,      ///< another 4xx: the request makes no sense to Vault, such as a login with a wrong secret_id
        unreachable,  ///< no answer, or none of use: sealed, standby, overloaded, not trusted
    };
    Kind kind = Kind::unreachable;
    int status = 0;    ///< 0: no answer
    std::string text;  ///< a clause for people; may quote what Vault says, so mask it before it is shown
};

template <typename T>
using VaultResult = tl::expected<T, VaultError>;

/// A client of HashiCorp Vault or OpenBao that behaves like the official one: retries transport errors (not those of
/// certificates), 412, 429 and 5xx except 501, after 1 to 1.5 s, and follows one 307 within https. Use it on the loop's
/// thread.
class VaultClient {
  public:
    using MakeHttp = std::function<Result<std::unique_ptr<HttpClient>>(const HttpOptions&)>;

    /// `draw`: a random number in [0, 1).
    VaultClient(EventLoop& loop, VaultOptions options, std::function<double()> draw, MakeHttp make_http);
    /// With real connections.
    VaultClient(EventLoop& loop, VaultOptions options, std::function<double()> draw);
    ~VaultClient();
    VaultClient(const VaultClient&) = delete;
    VaultClient& operator=(const VaultClient&) = delete;

    /// Calls `done` once, on the loop, unless the client is destroyed first. The answer's JSON; null for 204.
    void send(VaultRequest request, std::function<void(VaultResult<SecretJson>)> done);

    /// sys/health of the server that answers, whatever its state. No retries.
    void ask_health(std::function<void(VaultResult<SecretJson>)> done);

    [[nodiscard]] const VaultOptions& options() const { return options_; }
    [[nodiscard]] EventLoop& loop() const { return loop_; }

  private:
    struct Call;
    void start(const std::shared_ptr<Call>& call);
    void answered(const std::shared_ptr<Call>& call, HttpResult result);
    void settle(const std::shared_ptr<Call>& call, VaultResult<SecretJson> result);
    [[nodiscard]] Result<HttpClient*> client_of(const std::string& origin);

    EventLoop& loop_;
    VaultOptions options_;
    std::function<double()> draw_;
    MakeHttp make_http_;
    std::map<std::string, std::unique_ptr<HttpClient>> clients_;  ///< by origin
    std::shared_ptr<int> alive_ = std::make_shared<int>();
};

/// Whether sys/health says that the server has no namespaces: it would ignore one. OpenBao says nothing, and refuses
/// unknown ones by itself.
[[nodiscard]] bool has_no_namespaces(const SecretJson& health);

/// The text of a JSON field that is one; "" if it is missing or something else.
[[nodiscard]] std::string text_in(const SecretJson& object, const char* key);
/// The same, for a secret.
[[nodiscard]] WipedString secret_in(const SecretJson& object, const char* key);
/// The same, as an object; null if it is missing or something else.
[[nodiscard]] const SecretJson* object_in(const SecretJson& object, const char* key);
/// A number of seconds, at least 0.
[[nodiscard]] std::chrono::seconds seconds_in(const SecretJson& object, const char* key);

}  // namespace trebuchet
