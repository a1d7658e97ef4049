#include "common/mask/mask_text.hpp"

#include <array>
#include <stdexcept>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

namespace trebuchet {
namespace {

constexpr std::size_t key_size = 32;
constexpr std::size_t shown_bytes = 3;

}  // namespace

SecretString draw_mask_key() {
    std::array<unsigned char, key_size> key{};
    if (::RAND_bytes(key.data(), static_cast<int>(key.size())) != 1) {
        throw std::runtime_error("OpenSSL has no random bytes");
    }
    SecretString drawn({reinterpret_cast<const char*>(key.data()), key.size()});
    wipe(key.data(), key.size());
    return drawn;
}

MaskText::MaskText(MaskHash hash, const SecretString* key) {
    if (hash != MaskHash::keyed) return;
    key_ = key != nullptr ? key->reveal() : draw_mask_key().reveal();
}

std::string MaskText::of(std::string_view value) const {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    const auto* bytes = reinterpret_cast<const unsigned char*>(value.data());
    const bool done = key_.empty()
                          ? ::EVP_Digest(bytes, value.size(), digest.data(), nullptr, ::EVP_sha256(), nullptr) == 1
                          : ::HMAC(::EVP_sha256(), key_.data(), static_cast<int>(key_.size()), bytes, value.size(),
                                   digest.data(), nullptr) != nullptr;
    if (!done) throw std::runtime_error("OpenSSL cannot compute SHA-256");
    static constexpr std::string_view digits = "0123456789abcdef";
    std::string mask = "**";
    for (std::size_t i = 0; i < shown_bytes; ++i) {
        mask += digits[digest[i] >> 4U];
        mask += digits[digest[i] & 0xFU];
    }
    wipe(digest.data(), digest.size());
    return mask + "**";
}

}  // namespace trebuchet
