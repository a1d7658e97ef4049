#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

struct ssl_st;
struct ssl_ctx_st;

namespace trebuchet {

/// A request that arrived over a connection.
struct ReceivedRequest {
    std::size_t connection = 0;  ///< counted from 0
    std::string head;            ///< request line and headers
    std::string body;

    [[nodiscard]] std::string line() const { return head.substr(0, head.find('\r')); }
    /// Returns the value of a header, or "none" if there is none. `name` in the sender's spelling.
    [[nodiscard]] std::string header(const std::string& name) const;
};

/// TLS for a LoopbackServer: PEM files.
struct ServerIdentity {
    std::filesystem::path certificate;
    std::filesystem::path key;
    std::filesystem::path client_ca;  ///< if set, clients must present a certificate of this authority
};

/// A server on 127.0.0.1. It runs the test's script for each connection, each on its own thread.
class LoopbackServer {
  public:
    class Connection {
      public:
        /// Returns nullopt if the client has closed the connection.
        std::optional<ReceivedRequest> read_request();
        /// Returns false if the client has closed the connection.
        bool send(std::string_view bytes);
        /// Waits until the client closes the connection or the server stops.
        void hold();
        [[nodiscard]] std::size_t number() const { return number_; }

      private:
        friend class LoopbackServer;
        Connection(LoopbackServer& server, std::size_t number, int fd) : server_(server), number_(number), fd_(fd) {}
        [[nodiscard]] std::ptrdiff_t receive(char* data, std::size_t size);

        LoopbackServer& server_;
        std::size_t number_;
        int fd_;
        ssl_st* tls_ = nullptr;
        std::string received_;
    };

    /// Runs once per connection. The connection is closed when it returns.
    using Script = std::function<void(Connection&)>;

    /// `port`: 0 for a free one.
    explicit LoopbackServer(Script script, const std::optional<ServerIdentity>& identity = std::nullopt,
                            std::uint16_t port = 0);
    ~LoopbackServer();
    LoopbackServer(const LoopbackServer&) = delete;
    LoopbackServer& operator=(const LoopbackServer&) = delete;

    /// From now on connecting is refused. A script may call it.
    void stop_listening();

    [[nodiscard]] std::uint16_t port() const { return port_; }
    /// "http://127.0.0.1:PORT" or "https://127.0.0.1:PORT".
    [[nodiscard]] std::string origin() const;
    [[nodiscard]] std::vector<ReceivedRequest> requests() const;
    [[nodiscard]] std::size_t connections() const;
    /// How many connections resumed a TLS session.
    [[nodiscard]] std::size_t resumptions() const { return resumptions_; }

  private:
    struct Served {
        int fd;
        std::thread thread;
    };

    void accept_connections();
    void serve(std::size_t number, int fd);

    Script script_;
    std::shared_ptr<ssl_ctx_st> tls_;
    std::atomic<std::size_t> resumptions_{0};
    int listener_ = -1;
    std::uint16_t port_ = 0;
    mutable std::mutex mutex_;
    std::vector<ReceivedRequest> requests_;  ///< guarded by mutex_, as are the next two
    std::list<Served> served_;
    bool stopping_ = false;
    std::thread acceptor_;
};

/// A script that answers every request with `answer` and keeps the connection alive.
[[nodiscard]] LoopbackServer::Script always(std::string answer);

/// "HTTP/1.1 200 OK" with a body and its length; `headers` each end in "\r\n".
[[nodiscard]] std::string ok(std::string_view body, std::string_view headers = {});

}  // namespace trebuchet
