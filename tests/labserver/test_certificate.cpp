#include "tests/labserver/test_certificate.hpp"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <string>

#include <openssl/evp.h>
#include <openssl/pem.h>

#include <openssl/x509v3.h>

namespace trebuchet::labserver {
namespace {

struct Free {
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(X509* certificate) const { X509_free(certificate); }
    void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
    void operator()(std::FILE* file) const { std::fclose(file); }
};

template <typename T>
std::unique_ptr<T, Free> owned(T* thing) {
    if (thing == nullptr) throw std::runtime_error("can't make the test's certificate");
    return std::unique_ptr<T, Free>(thing);
}

void add_extension(X509* certificate, int id, const char* value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
    const auto extension = owned(X509V3_EXT_conf_nid(nullptr, &context, id, value));
    X509_add_ext(certificate, extension.get(), -1);
}

}  // namespace

TestCertificate::TestCertificate() {
    std::string name = (std::filesystem::temp_directory_path() / "labserver-test-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("can't make a temporary folder");
    folder_ = name;

    const auto pair = owned(EVP_EC_gen("P-256"));
    const auto x509 = owned(X509_new());
    X509_set_version(x509.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(x509.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509.get()), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x509.get()), 3600);
    X509_set_pubkey(x509.get(), pair.get());
    const std::string common_name = "labserver test";
    X509_NAME_add_entry_by_txt(X509_get_subject_name(x509.get()), "CN", MBSTRING_ASC,
                               static_cast<const unsigned char*>(static_cast<const void*>(common_name.data())), -1, -1,
                               0);
    X509_set_issuer_name(x509.get(), X509_get_subject_name(x509.get()));
    add_extension(x509.get(), NID_subject_alt_name, "IP:127.0.0.1,DNS:localhost");
    add_extension(x509.get(), NID_basic_constraints, "critical,CA:TRUE");
    X509_sign(x509.get(), pair.get(), EVP_sha256());

    const auto certificate_file = owned(std::fopen(certificate().c_str(), "we"));
    const auto key_file = owned(std::fopen(key().c_str(), "we"));
    if (PEM_write_X509(certificate_file.get(), x509.get()) != 1 ||
        PEM_write_PrivateKey(key_file.get(), pair.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
        throw std::runtime_error("can't write the test's certificate");
    }
}

TestCertificate::~TestCertificate() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

}  // namespace trebuchet::labserver
