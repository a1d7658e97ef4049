#pragma once

#include "common/base/result.hpp"
#include "tests/labserver/net/message.hpp"
#include "tests/labserver/net/wire.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace trebuchet::labserver {

struct TlsFiles {
    std::filesystem::path certificate;  ///< PEM, with its chain
    std::filesystem::path key;          ///< PEM, without a passphrase
};

struct ListenerOptions {
    std::string address;                                               ///< an IP address or a name of this host
    std::uint16_t port = 0;                                            ///< 0: any free port
    std::optional<TlsFiles> tls;                                       ///< none: plain HTTP
    std::function<std::uint64_t(std::string_view target)> body_limit;  ///< in bytes
    /// Called after a request's headers were read; returns a value if its connection is to be cut now. May be empty.
    std::function<std::optional<Cut>(std::string_view method, std::string_view target)> cut;
    std::function<void(const std::string&)> complain;  ///< called when a connection fails; may be empty

    std::chrono::milliseconds handshake_timeout{30'000};
    std::chrono::milliseconds idle_timeout{120'000};      ///< between two requests, and for a request's headers
    std::chrono::milliseconds transfer_timeout{600'000};  ///< for a request's body, and for an answer
    std::chrono::milliseconds linger_timeout{30'000};     ///< for the rest of a request that was refused
};

/// HTTP/1.1 over TCP or TLS, with keep-alive. The handler answers one request at a time; the thread that calls run()
/// serves all connections. Malformed requests are refused here and never reach the handler.
class HttpsListener {
  public:
    /// The listener is listening when this returns. The handler must outlive it.
    [[nodiscard]] static Result<HttpsListener> open(ListenerOptions options, Handler& handler);

    HttpsListener(HttpsListener&&) noexcept;
    HttpsListener& operator=(HttpsListener&&) noexcept;
    ~HttpsListener();

    /// Such as https://127.0.0.1:8443, with the actual port.
    [[nodiscard]] std::string url() const;
    [[nodiscard]] std::uint16_t port() const;

    /// From now on SIGTERM and SIGINT do what stop() does.
    void stop_on_signals();
    /// Serves until stop() is called.
    void run();
    /// Cuts all connections and makes run() return. May be called from any thread.
    void stop();

  private:
    struct Impl;
    explicit HttpsListener(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace trebuchet::labserver
