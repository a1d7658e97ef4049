#pragma once

#include "common/base/result.hpp"
#include "common/event/event_loop.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace trebuchet {

struct HttpEndpointOptions {
    std::string address = "0.0.0.0";  ///< an IP address of this host; "::" includes IPv4
    std::uint16_t port = 0;           ///< 0: any free port
    /// If there are more connections, the oldest is closed, so that idle clients cannot lock out others.
    std::size_t connection_limit = 16;
    std::size_t request_limit = 8192;            ///< in bytes, request line and headers
    std::chrono::milliseconds time_limit{5000};  ///< for a whole connection
    /// Pages that only programs of this host get: the peer and the Host header must be loopback, so that no web page
    /// can have a browser read them either (DNS rebinding). Others get 403.
    std::set<std::string> local_pages{};
};

/// The answer to a GET.
struct HttpPage {
    int status = 200;
    std::string media_type;
    std::string text;
};

/// A small HTTP/1.1 server for monitoring: read-only pages, one request per connection, no TLS, no authentication, so
/// all pages are public. Clients may be hostile: number, size and duration of connections are bounded. Runs on the
/// loop's thread and never blocks; a stuck loop therefore shows as no answer. Errors: 404 unknown page, 405 not GET,
/// 400 not HTTP, 403 a page for this host only, 431 head too long.
class HttpEndpoint {
  public:
    using Pages = std::map<std::string, std::function<HttpPage()>>;

    /// `pages`: by path, such as "/metrics". Is listening when it returns.
    [[nodiscard]] static Result<std::unique_ptr<HttpEndpoint>> open(EventLoop& loop, const HttpEndpointOptions& options,
                                                                    Pages pages);
    /// Closes all connections. Calls no page function afterwards.
    ~HttpEndpoint();
    HttpEndpoint(const HttpEndpoint&) = delete;
    HttpEndpoint& operator=(const HttpEndpoint&) = delete;

    [[nodiscard]] std::uint16_t port() const;

  private:
    class Server;
    explicit HttpEndpoint(std::shared_ptr<Server> server) : server_(std::move(server)) {}
    std::shared_ptr<Server> server_;
};

}  // namespace trebuchet
