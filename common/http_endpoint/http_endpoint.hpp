#pragma once

#include "common/base/result.hpp"
#include "common/event/event_loop.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace trebuchet {

struct HttpEndpointOptions {
    std::string address = "0.0.0.0";  ///< an IP address of this host; "::" takes IPv4 as well
    std::uint16_t port = 0;           ///< 0: a free one
    /// With more connections than this the oldest is closed: who only holds connections keeps nobody else out.
    std::size_t connection_limit = 16;
    std::size_t request_limit = 8192;            ///< bytes of request line and headers
    std::chrono::milliseconds time_limit{5000};  ///< from the connection's first to its last byte
};

/// What GET of a page answers.
struct HttpPage {
    int status = 200;
    std::string media_type;
    std::string text;
};

/// A few read-only pages over HTTP/1.1, one request per connection, for monitoring. Clients may be hostile: sizes,
/// number and time of connections are bounded, and nothing blocks. Everything happens on the loop's thread, so that a
/// loop that is stuck shows as no answer. What isn't a page is 404, what isn't GET 405, what isn't HTTP 400, a head
/// that is too long 431. No TLS, no passwords: whatever a page shows is public.
class HttpEndpoint {
  public:
    using Pages = std::map<std::string, std::function<HttpPage()>>;

    /// `pages` by path, "/metrics". Listens when it returns.
    [[nodiscard]] static Result<std::unique_ptr<HttpEndpoint>> open(EventLoop& loop, const HttpEndpointOptions& options,
                                                                    Pages pages);
    /// Closes all connections; no page is asked for any more.
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
