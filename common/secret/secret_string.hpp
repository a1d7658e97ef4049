#pragma once

#include "common/secret/secret_memory.hpp"

#include <cstddef>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>

namespace trebuchet {

/// Overwrites `size` bytes; the compiler cannot optimise it away (OPENSSL_cleanse).
void wipe(void* data, std::size_t size) noexcept;

/// Allocates from secret memory.
template <typename T>
struct WipingAllocator {
    using value_type = T;
    static constexpr std::size_t size = sizeof(T);  // NOLINT(bugprone-sizeof-expression): T may be a pointer

    WipingAllocator() noexcept = default;
    template <typename U>
    WipingAllocator(const WipingAllocator<U>& /*other*/) noexcept {}  // NOLINT(google-explicit-constructor)

    [[nodiscard]] T* allocate(std::size_t count) {
        if (count > std::numeric_limits<std::size_t>::max() / size) throw std::bad_array_new_length();
        return static_cast<T*>(allocate_secret(count * size, alignof(T)));
    }
    void deallocate(T* data, std::size_t count) noexcept { free_secret(data, count * size, alignof(T)); }
    template <typename U>
    bool operator==(const WipingAllocator<U>& /*other*/) const noexcept {
        return true;
    }
};

/// A string in secret memory; up to 15 bytes are in the object itself. Copy it only to another WipedString.
using WipedString = std::basic_string<char, std::char_traits<char>, WipingAllocator<char>>;

/// A secret's bytes. Cannot be printed, compared with == or copied by accident; wiped in the destructor. Always in
/// secret memory, so that a move leaves nothing behind in a small-string buffer.
class SecretString {
  public:
    SecretString() = default;
    explicit SecretString(std::string_view bytes);
    SecretString(SecretString&& other) noexcept : data_(std::move(other.data_)), size_(std::exchange(other.size_, 0)) {}
    SecretString& operator=(SecretString&& other) noexcept {
        data_ = std::move(other.data_);
        size_ = std::exchange(other.size_, 0);
        return *this;
    }
    SecretString(const SecretString&) = delete;
    SecretString& operator=(const SecretString&) = delete;
    ~SecretString() = default;

    /// Makes an explicit copy.
    [[nodiscard]] SecretString clone() const { return SecretString(reveal()); }

    /// The bytes. Only for places that need them: the masker, a phase's environment, a request's header.
    [[nodiscard]] std::string_view reveal() const { return {data_.get(), size_}; }

    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] bool empty() const { return size_ == 0; }

  private:
    struct Wiper {
        std::size_t size;  // with an initialiser, SecretString would have no default constructor
        void operator()(char* data) const noexcept { free_secret(data, size); }
    };
    std::unique_ptr<char[], Wiper> data_;
    std::size_t size_ = 0;
};

}  // namespace trebuchet
