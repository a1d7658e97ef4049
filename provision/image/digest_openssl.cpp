#include "provision/image/digest.hpp"

#include <array>
#include <stdexcept>

#include <openssl/evp.h>

namespace trebuchet {

struct Digest::State {
    struct Free {
        void operator()(EVP_MD_CTX* freed) const { EVP_MD_CTX_free(freed); }
    };
    std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};
};

Digest::Digest(DigestKind kind) : state_(std::make_unique<State>()) {
    const auto* algorithm = kind == DigestKind::sha256 ? EVP_sha256() : EVP_sha512();
    if (EVP_DigestInit_ex(state_->context.get(), algorithm, nullptr) != 1) throw std::runtime_error("EVP_DigestInit");
}

Digest::Digest(Digest&&) noexcept = default;
Digest& Digest::operator=(Digest&&) noexcept = default;
Digest::~Digest() = default;

void Digest::update(const void* data, std::size_t size) {
    if (EVP_DigestUpdate(state_->context.get(), data, size) != 1) throw std::runtime_error("EVP_DigestUpdate");
}

std::string Digest::hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned int size = 0;
    if (EVP_DigestFinal_ex(state_->context.get(), bytes.data(), &size) != 1) {
        throw std::runtime_error("EVP_DigestFinal");
    }
    std::string out;
    for (unsigned int i = 0; i < size; ++i) {
        constexpr const char* digits = "0123456789abcdef";
        out += digits[bytes.at(i) >> 4U];
        out += digits[bytes.at(i) & 15U];
    }
    return out;
}

}  // namespace trebuchet
