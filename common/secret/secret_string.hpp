#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace trebuchet {

/// Overwrites `size` bytes in a way that the compiler does not remove (OPENSSL_cleanse).
void wipe(void* data, std::size_t size) noexcept;

/// std::allocator that wipes what it frees.
template <typename T>
struct WipingAllocator {
    using value_type = T;
    WipingAllocator() noexcept = default;
    template <typename U>
    WipingAllocator(const WipingAllocator<U>& /*other*/) noexcept {}  // NOLINT(google-explicit-constructor)

    [[nodiscard]] T* allocate(std::size_t count) { return std::allocator<T>().allocate(count); }
    void deallocate(T* data, std::size_t count) noexcept {
        wipe(static_cast<void*>(data), count * sizeof(T));
        std::allocator<T>().deallocate(data, count);
    }
    template <typename U>
    bool operator==(const WipingAllocator<U>& /*other*/) const noexcept {
        return true;
    }
};

/// A string whose heap memory is wiped when freed. Its bytes may be secret: copy it only into another of its kind.
using WipedString = std::basic_string<char, std::char_traits<char>, WipingAllocator<char>>;

/// A secret's bytes. Can't be printed, compared with ==, or copied by accident; wiped in the destructor.
/// Always on the heap, so that moving it leaves nothing behind in a small-string buffer.
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

    /// A deliberate second copy.
    [[nodiscard]] SecretString clone() const { return SecretString(reveal()); }

    /// The bytes, for the few places that must have them: the masker, a phase's environment, a request's header.
    [[nodiscard]] std::string_view reveal() const { return {data_.get(), size_}; }

    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] bool empty() const { return size_ == 0; }

  private:
    struct Wiper {
        std::size_t size;  // an initialiser here would leave SecretString without a default constructor
        void operator()(char* data) const noexcept {
            wipe(data, size);
            delete[] data;
        }
    };
    std::unique_ptr<char[], Wiper> data_;
    std::size_t size_ = 0;
};

}  // namespace trebuchet
