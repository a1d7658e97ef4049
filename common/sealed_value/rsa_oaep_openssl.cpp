#include "common/repository_file/encrypted_entry.hpp"
#include "common/sealed_value/rsa_oaep.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <limits>
#include <memory>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include <openssl/x509.h>

namespace trebuchet {
namespace {

using Key = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
using Bio = std::unique_ptr<BIO, int (*)(BIO*)>;
using Context = std::unique_ptr<EVP_PKEY_CTX, void (*)(EVP_PKEY_CTX*)>;

constexpr int key_bits = 4096;
constexpr std::size_t longest_pem = 64 * std::size_t{1024};
constexpr const char* expected_private = "expected the PEM of a private RSA key of 4096 bits";
constexpr const char* expected_public = "expected the PEM of a public RSA key of 4096 bits";

/// OpenSSL keeps a queue of errors for each thread: nobody reads it.
struct NoErrors {
    NoErrors() = default;
    NoErrors(const NoErrors&) = delete;
    NoErrors& operator=(const NoErrors&) = delete;
    ~NoErrors() { ERR_clear_error(); }
};

Bio reader_of(std::string_view text) {
    return {BIO_new_mem_buf(text.data(), static_cast<int>(std::min(text.size(), longest_pem))), BIO_free};
}

/// Asks nobody for a passphrase.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writes*/, void* /*data*/) {
    return 0;
}

Key checked(Key key) {
    if (key && (EVP_PKEY_is_a(key.get(), "RSA") != 1 || EVP_PKEY_get_bits(key.get()) != key_bits)) key.reset();
    return key;
}

Key read_private(std::string_view pem) {
    const NoErrors no_errors;
    const auto bio = reader_of(pem);
    return checked({PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr), EVP_PKEY_free});
}

Key read_public(std::string_view pem) {
    const NoErrors no_errors;
    const auto bio = reader_of(pem);
    return checked({PEM_read_bio_PUBKEY(bio.get(), nullptr, no_passphrase, nullptr), EVP_PKEY_free});
}

Result<std::string> public_pem_of(EVP_PKEY* key) {
    const Bio bio(BIO_new(BIO_s_mem()), BIO_free);
    if (PEM_write_bio_PUBKEY(bio.get(), key) != 1) return fail("OpenSSL cannot write the public key");
    char* data = nullptr;
    const auto size = BIO_get_mem_data(bio.get(), &data);
    return std::string(data, static_cast<std::size_t>(size));
}

SecretString private_pem_of(EVP_PKEY* key) {
    const Bio bio(BIO_new(BIO_s_secmem()), BIO_free);
    if (PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) return {};
    char* data = nullptr;
    const auto size = static_cast<std::size_t>(BIO_get_mem_data(bio.get(), &data));
    SecretString pem(std::string_view(data, size));
    wipe(data, size);
    return pem;
}

using Start = int (*)(EVP_PKEY_CTX*);

Context oaep_context(EVP_PKEY* key, Start start) {
    Context context(EVP_PKEY_CTX_new(key, nullptr), EVP_PKEY_CTX_free);
    const bool ready = context && start(context.get()) == 1 &&
                       EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) == 1 &&
                       EVP_PKEY_CTX_set_rsa_oaep_md(context.get(), EVP_sha256()) == 1 &&
                       EVP_PKEY_CTX_set_rsa_mgf1_md(context.get(), EVP_sha256()) == 1;
    if (!ready) context.reset();
    return context;
}

using Step = int (*)(EVP_PKEY_CTX*, unsigned char*, std::size_t*, const unsigned char*, std::size_t);

/// Appends to `out`; false if the block cannot be used.
bool add_block(EVP_PKEY_CTX* context, Step step, std::string_view block, WipedString& out) {
    std::array<unsigned char, encrypted_block> buffer{};
    std::size_t size = buffer.size();
    const auto* bytes = reinterpret_cast<const unsigned char*>(block.data());
    const bool done = step(context, buffer.data(), &size, bytes, block.size()) == 1;
    if (done) out.append(reinterpret_cast<const char*>(buffer.data()), size);
    wipe(buffer.data(), buffer.size());
    return done;
}

}  // namespace

Result<RsaKeyPair> make_rsa_key() {
    const NoErrors no_errors;
    const Key key(EVP_RSA_gen(key_bits), EVP_PKEY_free);
    if (!key) return fail("OpenSSL cannot make a key");
    RsaKeyPair pair{private_pem_of(key.get()), ""};
    auto public_pem = public_pem_of(key.get());
    if (!public_pem || pair.private_pem.empty()) return fail("OpenSSL cannot write the key");
    pair.public_pem = std::move(*public_pem);
    return pair;
}

Result<std::string> rsa_public_key(std::string_view private_pem) {
    const auto key = read_private(private_pem);
    return key ? public_pem_of(key.get()) : fail(expected_private);
}

Result<std::string> rsa_key_id(std::string_view public_pem) {
    const auto key = read_public(public_pem);
    if (!key) return fail(expected_public);
    unsigned char* der = nullptr;
    const int size = i2d_PUBKEY(key.get(), &der);
    if (size <= 0) return fail("OpenSSL cannot write the public key");
    std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
    SHA256(der, static_cast<std::size_t>(size), digest.data());
    OPENSSL_free(der);
    std::string id;
    for (std::size_t i = 0; i < 8; ++i) {
        constexpr std::string_view digits = "0123456789abcdef";
        id += digits[digest.at(i) >> 4U];
        id += digits[digest.at(i) & 0xFU];
    }
    return id;
}

Result<std::string> rsa_encrypted(std::string_view public_pem, std::string_view value) {
    const NoErrors no_errors;
    const auto key = read_public(public_pem);
    if (!key) return fail(expected_public);
    if (value.empty()) return fail("the value is empty");
    constexpr auto longest = rsa_block_of_value * most_encrypted_blocks;
    if (value.size() > longest) {
        return fail("the value has " + std::to_string(value.size()) + " bytes, expected at most " +
                    std::to_string(longest));
    }
    const auto context = oaep_context(key.get(), EVP_PKEY_encrypt_init);
    WipedString blocks;
    for (std::size_t at = 0; at < value.size(); at += rsa_block_of_value) {
        if (!context || !add_block(context.get(), EVP_PKEY_encrypt, value.substr(at, rsa_block_of_value), blocks)) {
            return fail("OpenSSL cannot encrypt with the key");
        }
    }
    return std::string(std::string_view(blocks));
}

Result<SecretString> rsa_decrypted(std::string_view private_pem, std::string_view blocks) {
    const NoErrors no_errors;
    const auto key = read_private(private_pem);
    if (!key) return fail(expected_private);
    const auto context = oaep_context(key.get(), EVP_PKEY_decrypt_init);
    const bool is_whole = !blocks.empty() && blocks.size() % encrypted_block == 0 &&
                          blocks.size() <= encrypted_block * most_encrypted_blocks;
    WipedString value;
    for (std::size_t at = 0; is_whole && context && at < blocks.size(); at += encrypted_block) {
        if (!add_block(context.get(), EVP_PKEY_decrypt, blocks.substr(at, encrypted_block), value)) {
            return fail("it was not encrypted for this key");
        }
    }
    if (!is_whole || !context) return fail("it was not encrypted for this key");
    return SecretString(value);
}

}  // namespace trebuchet
