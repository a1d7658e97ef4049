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
    std::string origin;             ///< "https://host:port": the only server that this client talks to
    std::filesystem::path ca_file;  ///< PEM, in place of the system's authorities; empty: those
    std::filesystem::path client_cert;
    std::filesystem::path client_key;
    std::string user_agent;
};

/// A body that is streamed from a file between two short texts, as multipart/form-data wants it.
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
    std::string content_type;  ///< of the body
    WipedString body;
    std::optional<FileBody> file;  ///< in place of `body`
    /// Over everything, DNS and the answer's body included.
    std::chrono::milliseconds timeout{30'000};
    std::size_t response_limit = 1U << 20;  ///< a longer answer is a failure,
    bool cut_response = false;              ///< unless this is set: then what fits is the answer
    /// If set, an answer that is longer than `response_limit` is handed to it piece by piece, from its start, on
    /// threads of the pool but one call at a time and none after `done`; the answer then counts as cut.
    std::function<void(std::string_view)> on_overflow;
    std::size_t overflow_limit = std::size_t{256} << 20;  ///< bytes beyond `response_limit` that are still read
    /// If set, the body of a 2xx answer goes to this file, at most `response_limit` bytes: created new, 0600; removed
    /// again on any failure or other answer (which keeps the first 64 KiB of its body). Not with the two above.
    std::optional<std::filesystem::path> answer_file;
    /// Opens a connection of its own. On one that was kept alive, the HTTP library sends a request again by itself if
    /// the server closes it without an answer: for those that must not arrive twice.
    bool fresh_connection = false;
    /// A target whose GET does no harm. If set, with `fresh_connection`, and an interim answer (1xx) comes, which
    /// cpprestsdk takes for the final one, this is sent after it: what the server answers next is this request's
    /// answer. It is lost only if it came in one piece with the interim one.
    std::string after_interim{};
};

struct HttpResponse {
    int status = 0;
    std::vector<std::string> cookies;  ///< Set-Cookie, without attributes: "name=value"
    WipedString body;                  ///< empty if it went to `answer_file`
    bool cut = false;                  ///< the body was longer than `response_limit`, and what fits is here
    std::string date{};                ///< the Date header, "" without
    bool followed_interim = false;     ///< it came over `after_interim`, and may be the answer to that
};

struct HttpFailure {
    enum class Kind {
        unreachable,  ///< never connected: the request was not sent
        tls,          ///< the connection is not trusted: the request was not sent
        timed_out,    ///< whether the server acted on it is unknown
        broken,       ///< likewise: the connection ended early
        protocol,     ///< an answer that HTTP does not allow here, or a too long one
    };
    Kind kind = Kind::broken;
    std::string message;  ///< "POST https://host/v1/x: …"; holds nothing of bodies, headers or the query
};

using HttpResult = tl::expected<HttpResponse, HttpFailure>;

/// HTTP/1.1 to one server, over connections that are kept alive. Requests run beside the loop; results arrive on it.
/// An answer's headers may have 64 KiB. In a program that links trebuchet_wiping_new, a head or a chunk that goes on
/// beyond 4 MiB, and beyond twice the longest answer waited for in memory, ends all requests under way (cpprestsdk
/// would keep reading); elsewhere only the timeout ends it. Redirects are not followed. Proxies are taken from the
/// environment. TLS 1.2 at least, certificate and host name verified.
class HttpClient {
  public:
    /// Fails if a file of the options can't be read or used.
    static Result<std::unique_ptr<HttpClient>> make(EventLoop& loop, HttpOptions options);

    virtual ~HttpClient() = default;

    /// Calls `done` once, on the loop, within the request's timeout.
    virtual void send(HttpRequest request, std::function<void(HttpResult)> done) = 0;

    /// Forgets the connections kept alive, so that the next request opens a fresh one.
    virtual void drop_connections() = 0;
};

}  // namespace trebuchet
