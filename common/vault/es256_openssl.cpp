#include "common/secret/base64.hpp"
#include "common/vault/es256.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

namespace trebuchet {
namespace {

using Key = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
using Bio = std::unique_ptr<BIO, int (*)(BIO*)>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)>;
using Signature = std::unique_ptr<ECDSA_SIG, void (*)(ECDSA_SIG*)>;

/// Of each of the two numbers of a signature.
constexpr int number_size = 32;
constexpr std::size_t signature_size = 64;
constexpr std::string_view header = R"({"alg":"ES256","typ":"JWT"})";
constexpr const char* expected_key = "expected the PEM of a private key on the curve P-256";

Bio reader_of(std::string_view text) {
    return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), BIO_free};
}

bool is_p256(EVP_PKEY* key) {
    std::array<char, 64> group{};
    std::size_t length = 0;
    return EVP_PKEY_get_group_name(key, group.data(), group.size(), &length) == 1 &&
           std::string_view(group.data(), length) == "prime256v1";
}

/// Asks nobody for a passphrase.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writes*/, void* /*data*/) {
    return 0;
}

Key read_private(std::string_view pem) {
    const auto bio = reader_of(pem);
    Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr), EVP_PKEY_free);
    if (key && !is_p256(key.get())) key.reset();
    return key;
}

/// What was written to `bio`, which is wiped.
WipedString take(BIO* bio) {
    char* data = nullptr;
    const auto size = BIO_get_mem_data(bio, &data);
    WipedString text(data, static_cast<std::size_t>(size));
    wipe(data, static_cast<std::size_t>(size));
    return text;
}

Result<std::string> public_pem_of(EVP_PKEY* key) {
    const Bio bio(BIO_new(BIO_s_mem()), BIO_free);
    if (PEM_write_bio_PUBKEY(bio.get(), key) != 1) return fail("OpenSSL cannot write the public key");
    return std::string(std::string_view(take(bio.get())));
}

std::vector<unsigned char> der_signature(EVP_PKEY* key, std::string_view message) {
    const DigestContext context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    const auto* bytes = reinterpret_cast<const unsigned char*>(message.data());
    std::size_t size = 0;
    if (EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key) != 1 ||
        EVP_DigestSign(context.get(), nullptr, &size, bytes, message.size()) != 1) {
        return {};
    }
    std::vector<unsigned char> der(size);
    if (EVP_DigestSign(context.get(), der.data(), &size, bytes, message.size()) != 1) return {};
    der.resize(size);
    return der;
}

/// The two numbers one after the other, as RFC 7518 wants them.
std::string raw_signature(const std::vector<unsigned char>& der) {
    const auto* start = der.data();
    const Signature parsed(d2i_ECDSA_SIG(nullptr, &start, static_cast<long>(der.size())), ECDSA_SIG_free);
    std::string raw(signature_size, '\0');
    auto* out = reinterpret_cast<unsigned char*>(raw.data());
    if (!parsed || BN_bn2binpad(ECDSA_SIG_get0_r(parsed.get()), out, number_size) != number_size ||
        BN_bn2binpad(ECDSA_SIG_get0_s(parsed.get()), out + number_size, number_size) != number_size) {
        return "";
    }
    return raw;
}

std::vector<unsigned char> der_of(std::string_view raw) {
    const auto* bytes = reinterpret_cast<const unsigned char*>(raw.data());
    const Signature signature(ECDSA_SIG_new(), ECDSA_SIG_free);
    ECDSA_SIG_set0(signature.get(), BN_bin2bn(bytes, number_size, nullptr),
                   BN_bin2bn(bytes + number_size, number_size, nullptr));
    unsigned char* der = nullptr;
    const int size = i2d_ECDSA_SIG(signature.get(), &der);
    std::vector<unsigned char> copy(der, der + std::max(size, 0));
    OPENSSL_free(der);
    return copy;
}

}  // namespace

Result<Es256KeyPair> make_es256_key() {
    const Key key(EVP_EC_gen("P-256"), EVP_PKEY_free);
    const Bio bio(BIO_new(BIO_s_secmem()), BIO_free);
    if (!key || PEM_write_bio_PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1) {
        return fail("OpenSSL cannot make a key");
    }
    auto public_pem = public_pem_of(key.get());
    if (!public_pem) return fail(public_pem.error());
    return Es256KeyPair{SecretString(take(bio.get())), std::move(*public_pem)};
}

Result<std::string> es256_public_key(std::string_view private_pem) {
    const auto key = read_private(private_pem);
    return key ? public_pem_of(key.get()) : fail(expected_key);
}

Result<WipedString> make_es256_token(std::string_view private_pem, std::string_view claims) {
    const auto key = read_private(private_pem);
    if (!key) return fail(expected_key);
    WipedString token = base64url_encoded(header);
    token.append(".").append(base64url_encoded(claims));
    const auto signature = raw_signature(der_signature(key.get(), token));
    if (signature.empty()) return fail("OpenSSL cannot sign with the key");
    return token.append(".").append(base64url_encoded(signature));
}

bool is_es256_token_of(std::string_view public_pem, std::string_view token) {
    const auto bio = reader_of(public_pem);
    const Key key(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
    const auto dot = token.rfind('.');
    if (!key || dot == std::string_view::npos) return false;
    const auto raw = base64url_decoded(token.substr(dot + 1));
    if (!raw || raw->size() != signature_size) return false;
    const auto der = der_of(raw->reveal());
    const DigestContext context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    return EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
           EVP_DigestVerify(context.get(), der.data(), der.size(), reinterpret_cast<const unsigned char*>(token.data()),
                            dot) == 1;
}

}  // namespace trebuchet
