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

/// What arrived over a connection.
struct ReceivedRequest {
    std::size_t connection = 0;  ///< counted from 0
    std::string head;            ///< request line and headers
    std::string body;

    [[nodiscard]] std::string line() const { return head.substr(0, head.find('\r')); }
    /// The value of a header; "none" if there is none of that name, which is written as it was sent.
    [[nodiscard]] std::string header(const std::string& name) const;
};

/// TLS for a LoopbackServer: PEM files.
struct ServerIdentity {
    std::filesystem::path certificate;
    std::filesystem::path key;
    std::filesystem::path client_ca;  ///< if set: clients must show a certificate of this authority
};

/// A server on 127.0.0.1 that does to each connection what the test says, on a thread of its own.
class LoopbackServer {
  public:
    class Connection {
      public:
        /// Nothing when the client has gone.
        std::optional<ReceivedRequest> read_request();
        /// False when the client has gone.
        bool send(std::string_view bytes);
        /// Waits until the client or the server has gone.
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

    /// Runs once per connection; returning closes it.
    using Script = std::function<void(Connection&)>;

    explicit LoopbackServer(Script script, const std::optional<ServerIdentity>& identity = std::nullopt);
    ~LoopbackServer();
    LoopbackServer(const LoopbackServer&) = delete;
    LoopbackServer& operator=(const LoopbackServer&) = delete;

    [[nodiscard]] std::uint16_t port() const { return port_; }
    /// "http://127.0.0.1:PORT", or https.
    [[nodiscard]] std::string origin() const;
    [[nodiscard]] std::vector<ReceivedRequest> requests() const;
    [[nodiscard]] std::size_t connections() const;
    /// Connections that resumed a TLS session.
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

/// A script that answers every request with `answer`, over connections kept alive.
[[nodiscard]] LoopbackServer::Script always(std::string answer);

/// "HTTP/1.1 200 OK" with a body and its length; `headers` each end in "\r\n".
[[nodiscard]] std::string ok(std::string_view body, std::string_view headers = {});

}  // namespace trebuchet
