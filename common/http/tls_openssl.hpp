#pragma once

#include "common/base/result.hpp"
#include "common/http/http_client.hpp"

#include <memory>
#include <mutex>
#include <string>

struct ssl_ctx_st;
struct ssl_session_st;
struct ssl_st;
struct x509_store_st;

namespace trebuchet {

/// TLS settings for all connections to one server: trusted CAs, client certificate, expected host name, session to
/// resume. Thread-safe.
class TlsSettings : public std::enable_shared_from_this<TlsSettings> {
  public:
    /// Fails if a certificate or key file cannot be used. `host`: a name or an IP address.
    static Result<std::shared_ptr<TlsSettings>> make(const HttpOptions& options, const std::string& host);

    /// Applies the settings to the context of one connection.
    void apply(ssl_ctx_st* context);

    /// Returns and clears OpenSSL's reason for the last failed handshake, such as "certificate has expired"; "" if
    /// there is none.
    [[nodiscard]] std::string take_failure();

  private:
    using Session = std::unique_ptr<ssl_session_st, void (*)(ssl_session_st*)>;

    TlsSettings(HttpOptions options, std::string host, std::shared_ptr<x509_store_st> trust);
    static void on_info(const ssl_st* connection, int where, int result);
    static int on_new_session(ssl_st* connection, ssl_session_st* session);
    void resume(ssl_st* connection);
    void note_failure(const ssl_st* connection);
    void note(std::string failure);

    HttpOptions options_;
    std::string host_;
    std::shared_ptr<x509_store_st> trust_;
    std::mutex mutex_;  ///< guards the members below
    std::string failure_;
    Session session_;
    bool may_resume_;
};

}  // namespace trebuchet
