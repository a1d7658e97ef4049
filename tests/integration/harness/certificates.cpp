#include "tests/integration/harness/certificates.hpp"

#include <cstdio>
#include <memory>
#include <stdexcept>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>

#include <openssl/x509.h>
#include <openssl/x509v3.h>

namespace trebuchet::harness {
namespace {

namespace fs = std::filesystem;

template <auto Free>
struct Freeing {
    template <typename T>
    void operator()(T* object) const {
        Free(object);
    }
};
using Key = std::unique_ptr<EVP_PKEY, Freeing<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freeing<X509_free>>;
using File = std::unique_ptr<std::FILE, Freeing<std::fclose>>;

constexpr long lifetime_seconds = 2L * 24 * 3600;
constexpr long clock_skew_seconds = 3600;

void expect(bool done, const char* what) {
    if (!done) throw std::runtime_error(std::string("OpenSSL: ") + what);
}

Key make_key() {
    Key key(EVP_EC_gen("P-256"));
    expect(key != nullptr, "can't make a key");
    return key;
}

void add_extension(X509* certificate, X509* issuer, int kind, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    const std::unique_ptr<X509_EXTENSION, Freeing<X509_EXTENSION_free>> extension(
        X509V3_EXT_conf_nid(nullptr, &context, kind, value));
    expect(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1, value);
}

/// A certificate that is not signed yet.
Certificate draft(const char* name, EVP_PKEY* key) {
    Certificate certificate(X509_new());
    expect(certificate != nullptr, "can't make a certificate");
    X509_set_version(certificate.get(), X509_VERSION_3);
    std::int64_t serial = 0;
    expect(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1, "no random bytes");
    ASN1_INTEGER_set_int64(X509_get_serialNumber(certificate.get()), serial & INT64_MAX);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -clock_skew_seconds);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), lifetime_seconds);
    X509_set_pubkey(certificate.get(), key);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
    return certificate;
}

void sign(X509* certificate, X509* issuer, EVP_PKEY* key) {
    X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
    expect(X509_sign(certificate, key, EVP_sha256()) > 0, "can't sign");
}

File create(const fs::path& path) {
    File file(std::fopen(path.c_str(), "w"));
    expect(file != nullptr, path.c_str());
    return file;
}

}  // namespace

Certificates make_certificates(const fs::path& folder) {
    const auto ca_key = make_key();
    const auto ca = draft("a test's authority", ca_key.get());
    add_extension(ca.get(), ca.get(), NID_basic_constraints, "critical,CA:TRUE");
    add_extension(ca.get(), ca.get(), NID_key_usage, "critical,keyCertSign");
    sign(ca.get(), ca.get(), ca_key.get());

    const auto key = make_key();
    const auto server = draft("a test's server", key.get());
    add_extension(server.get(), ca.get(), NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost");
    sign(server.get(), ca.get(), ca_key.get());

    fs::create_directories(folder);
    Certificates files{folder / "ca.pem", folder / "server.pem", folder / "server.key"};
    expect(PEM_write_X509(create(files.ca).get(), ca.get()) == 1, "can't write the authority");
    expect(PEM_write_X509(create(files.server).get(), server.get()) == 1, "can't write the certificate");
    expect(PEM_write_PrivateKey(create(files.server_key).get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1,
           "can't write the key");
    return files;
}

}  // namespace trebuchet::harness
