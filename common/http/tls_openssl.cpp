#include "common/http/tls_openssl.hpp"

#include <utility>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <openssl/x509v3.h>

/// Replaces OpenSSL's function by one that does nothing. cpprestsdk calls it for every connection, which would parse
/// the system's whole CA bundle (20 ms, measured) before we set the trust store that counts. The dynamic linker prefers
/// the program's own functions.
extern "C" int SSL_CTX_set_default_verify_paths(SSL_CTX* /*context*/) {
    return 1;
}

namespace trebuchet {
namespace {

std::string openssl_reason() {
    const char* reason = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return reason == nullptr ? "unknown reason" : reason;
}

Result<std::shared_ptr<X509_STORE>> load_trust(const std::filesystem::path& ca_file) {
    std::shared_ptr<X509_STORE> store(X509_STORE_new(), X509_STORE_free);
    if (ca_file.empty()) {
        X509_STORE_set_default_paths(store.get());
        return store;
    }
    std::error_code ignored;
    const bool is_folder = std::filesystem::is_directory(ca_file, ignored);
    // OpenSSL reads a folder's files when it needs them.
    if (X509_STORE_load_locations(store.get(), is_folder ? nullptr : ca_file.c_str(),
                                  is_folder ? ca_file.c_str() : nullptr) != 1) {
        return fail("cannot load certificate authorities from " + ca_file.string() + ": " + openssl_reason() +
                    "; expected a PEM file, or a folder that `openssl rehash` has prepared");
    }
    return store;
}

/// Fails if the client certificate cannot be used.
Result<void> use_client_certificate(SSL_CTX* context, const HttpOptions& options) {
    if (options.client_cert.empty()) return {};
    if (SSL_CTX_use_certificate_chain_file(context, options.client_cert.c_str()) != 1) {
        return fail("cannot use the client certificate " + options.client_cert.string() + ": " + openssl_reason() +
                    "; expected a PEM file");
    }
    if (SSL_CTX_use_PrivateKey_file(context, options.client_key.c_str(), SSL_FILETYPE_PEM) != 1) {
        return fail("cannot use the client certificate's key " + options.client_key.string() + ": " + openssl_reason() +
                    "; expected the PEM file of the key of " + options.client_cert.string());
    }
    return {};
}

Result<void> check_client_certificate(const HttpOptions& options) {
    const std::unique_ptr<SSL_CTX, void (*)(SSL_CTX*)> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    return use_client_certificate(context.get(), options);
}

using SharedSettings = std::shared_ptr<TlsSettings>;

/// The index at which a context keeps its settings alive: it may outlive its client.
int settings_slot() {
    static const int slot =
        SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr,
                                 [](void* /*context*/, void* data, CRYPTO_EX_DATA* /*all*/, int /*slot*/,
                                    long /*unused*/, void* /*unused*/) { delete static_cast<SharedSettings*>(data); });
    return slot;
}

TlsSettings& settings_of(const SSL* connection) {
    return **static_cast<SharedSettings*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(connection), settings_slot()));
}

}  // namespace

TlsSettings::TlsSettings(HttpOptions options, std::string host, std::shared_ptr<X509_STORE> trust)
    : options_(std::move(options)),
      host_(std::move(host)),
      trust_(std::move(trust)),
      session_(nullptr, SSL_SESSION_free),
      // With client certificates some servers reject resumed sessions (OpenSSL's default).
      may_resume_(options_.client_cert.empty()) {}

Result<std::shared_ptr<TlsSettings>> TlsSettings::make(const HttpOptions& options, const std::string& host) {
    auto trust = load_trust(options.ca_file);
    if (!trust) return fail(trust.error());
    if (auto usable = check_client_certificate(options); !usable) return fail(usable.error());
    return std::shared_ptr<TlsSettings>(new TlsSettings(options, host, std::move(*trust)));
}

void TlsSettings::apply(SSL_CTX* context) {
    static_cast<void>(take_failure());  // left by a request that was given up
    SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    SSL_CTX_set1_cert_store(context, trust_.get());
    static_cast<void>(use_client_certificate(context, options_));  // cannot fail: checked in `make`

    // cpprestsdk verifies the host name too, but does not report a mismatch.
    auto* const checks = SSL_CTX_get0_param(context);
    if (X509_VERIFY_PARAM_set1_ip_asc(checks, host_.c_str()) != 1) {
        ERR_clear_error();
        X509_VERIFY_PARAM_set1_host(checks, host_.data(), host_.size());
    }

    SSL_CTX_set_ex_data(context, settings_slot(), new SharedSettings(shared_from_this()));
    SSL_CTX_set_info_callback(context, &TlsSettings::on_info);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, &TlsSettings::on_new_session);
}

std::string TlsSettings::take_failure() {
    const std::lock_guard lock(mutex_);
    return std::exchange(failure_, {});
}

void TlsSettings::on_info(const SSL* connection, int where, int result) {
    auto& settings = settings_of(connection);
    const bool in_handshake = SSL_is_init_finished(connection) == 0;
    if ((where & SSL_CB_HANDSHAKE_START) != 0 && SSL_get_session(connection) == nullptr) {
        settings.resume(const_cast<SSL*>(connection));  // NOLINT(*-const-cast): this is where a session can be set
    } else if ((where & SSL_CB_READ_ALERT) == SSL_CB_READ_ALERT) {
        const std::string description = SSL_alert_desc_string_long(result);
        if (description != "close notify") settings.note("the server refused: " + description);
    } else if ((where & SSL_CB_CONNECT_EXIT) == SSL_CB_CONNECT_EXIT && result <= 0 && in_handshake) {
        settings.note_failure(connection);
    }
}

/// Uses each session once (RFC 8446, C.4). If the server cannot resume it, the next connection is a full handshake.
void TlsSettings::resume(SSL* connection) {
    const std::lock_guard lock(mutex_);
    if (may_resume_ && session_) SSL_set_session(connection, session_.get());
    session_.reset();
}

/// OpenSSL calls this only for verified connections. We keep a copy, because OpenSSL invalidates a session whose
/// connection is closed without close_notify, as cpprestsdk does.
int TlsSettings::on_new_session(SSL* connection, SSL_SESSION* session) {
    auto& settings = settings_of(connection);
    const std::lock_guard lock(settings.mutex_);
    settings.session_.reset(SSL_SESSION_dup(session));
    return 0;
}

void TlsSettings::note_failure(const SSL* connection) {
    const auto verified = SSL_get_verify_result(connection);
    if (verified != X509_V_OK) {
        note(std::string("the server's certificate is not trusted: ") + X509_verify_cert_error_string(verified));
    } else if (const auto code = ERR_peek_last_error(); code != 0) {
        const char* reason = ERR_reason_error_string(code);
        if (reason != nullptr) note(reason);
    }
}

void TlsSettings::note(std::string failure) {
    const std::lock_guard lock(mutex_);
    if (failure_.empty()) failure_ = std::move(failure);
}

}  // namespace trebuchet
