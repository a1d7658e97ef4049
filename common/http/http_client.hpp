#pragma once

#include "common/base/result.hpp"
#include "common/event/event_loop.hpp"
#include "common/secret/secret_string.hpp"

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

namespace trebuchet {

struct HttpOptions {
    std::string origin;  ///< "https://host:port", the only server that this client connects to
    /// PEM, or a folder with certificates under their hashes (openssl rehash), instead of the system's CAs; empty: the
    /// system's CAs.
    std::filesystem::path ca_file;
    std::filesystem::path client_cert;
    std::filesystem::path client_key;
    std::string user_agent;
    /// A request with `once` reuses a connection only if it was idle no longer than this. Otherwise the server may
    /// close the idle connection just when the request is sent.
    std::chrono::milliseconds once_idle_limit{1000};
    std::string server_name{};  ///< in the server's certificate; "": the host of `origin`
};

/// A body streamed from a file, between two short texts: for multipart/form-data.
struct FileBody {
    std::string before;
    std::filesystem::path file;
    std::string after;
};

struct HttpRequest {
    enum class Method { get, post };
    Method method = Method::get;
    std::string target;  ///< path and query
    std::vector<std::pair<std::string, WipedString>> headers;
    std::string content_type;  ///< of `body`
    WipedString body;
    std::optional<FileBody> file;  ///< instead of `body`
    /// For the whole exchange, including DNS and the answer's body.
    std::chrono::milliseconds timeout{30'000};
    std::size_t response_limit = 1U << 20;  ///< in bytes; a longer answer is a failure
    bool cut_response = false;              ///< keep the first `response_limit` bytes of a longer answer instead
    /// If set and the answer is longer than `response_limit`, it gets the whole answer in pieces, from the start.
    /// Called on pool threads, one call at a time, and never after `done`. The answer is then cut.
    std::function<void(std::string_view)> on_overflow;
    std::size_t overflow_limit = std::size_t{256} << 20;  ///< bytes beyond `response_limit` to read
    /// If set, the body of a 2xx answer, at most `response_limit` bytes, goes to this new file (0600). After a failure
    /// or another status the file is removed, and the response has the first 64 KiB of the body. Do not combine with
    /// the two fields above.
    std::optional<std::filesystem::path> answer_file;
    /// Is sent at most once. Without it, the HTTP library itself sends a request again if the server closes a
    /// kept-alive connection without an answer.
    bool once = false;
    /// Opens a new connection.
    bool fresh_connection = false;
    /// Workaround for interim answers (1xx), which cpprestsdk treats as final. After an interim answer the client sends
    /// GET to this harmless target on the same connection; the next answer that arrives is the one to this request. It
    /// is lost only if it arrived in one piece with the interim answer.
    std::string after_interim{};
};

struct HttpResponse {
    int status = 0;
    std::vector<std::string> cookies;  ///< Set-Cookie, without attributes: "name=value"
    WipedString body;                  ///< empty if the body went to `answer_file`
    bool cut = false;                  ///< the body was longer than `response_limit` and is truncated
    std::string date{};                ///< the Date header, or ""
    bool followed_interim = false;     ///< read with `after_interim`; may be the answer to that GET
    std::string location{};            ///< the Location header of a redirect, or ""
};

struct HttpFailure {
    enum class Kind {
        unreachable,  ///< never connected, or no longer: the request was not sent
        tls,          ///< the connection is not trusted: the request was not sent
        timed_out,    ///< the server may have acted on the request
        broken,       ///< the connection ended early; the server may have acted on the request
        protocol,     ///< the answer is invalid or too long
    };
    Kind kind = Kind::broken;
    std::string message;  ///< "POST https://host/v1/x: …"; contains nothing from bodies, headers or the query
};

using HttpResult = tl::expected<HttpResponse, HttpFailure>;

/// An HTTP/1.1 client for one server. A request uses the connection that was used last, if it is idle and still open,
/// otherwise a new one. Requests run on pool threads; results arrive on the loop. Headers: at most 64 KiB. TLS: at
/// least 1.2, certificate and host name verified. Proxies come from the environment. Redirects are not followed.
///
/// cpprestsdk does not limit the size of a head or a chunk. In programs with trebuchet_wiping_new, one that is longer
/// than 4 MiB and than twice the longest expected answer fails all running requests; in other programs only the timeout
/// ends it.
class HttpClient {
  public:
    /// Fails if a certificate or key file cannot be used.
    static Result<std::unique_ptr<HttpClient>> make(EventLoop& loop, HttpOptions options);

    virtual ~HttpClient() = default;

    /// Calls `done` once, on the loop, within the request's timeout.
    virtual void send(HttpRequest request, std::function<void(HttpResult)> done) = 0;

    /// Closes idle connections, so that the next request opens a new one.
    virtual void drop_connections() = 0;
};

}  // namespace trebuchet
