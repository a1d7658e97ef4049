#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace trebuchet {

/// Fixed text from our source code: only a string literal converts to it.
class LiteralText {
  public:
    template <std::size_t size>
    consteval LiteralText(const char (&text)[size])  // NOLINT(*-explicit-*, *-avoid-c-arrays): it stands for a literal
        : text_(text, size - 1) {}
    [[nodiscard]] constexpr std::string_view text() const { return text_; }

  private:
    std::string_view text_;
};

/// Passkey to read back bytes that were masked before they were stored. Only the class MaskedStore can make one. Each
/// program that stores masked bytes defines that class once.
class StoredBytesKey {
  private:
    friend class MaskedStore;
    explicit StoredBytesKey() {}  // NOLINT(*-use-equals-default): defaulted, anybody could make one by {}
};

/// Bytes without registered secrets. Logs, files, the spool and the calls to the server accept nothing else. There are
/// only three ways to make one:
///
///     MaskSet::mask, Masker, MaskedJson   text from any source, masked
///     literal, append_count               fixed text from our source code, and numbers that we counted ourselves
///     from_store                          bytes that were masked before they were stored
class MaskedChunk {
  public:
    MaskedChunk() = default;
    [[nodiscard]] static MaskedChunk literal(LiteralText words) { return MaskedChunk(std::string(words.text())); }
    [[nodiscard]] static MaskedChunk from_store(std::string bytes, StoredBytesKey /*key*/) {
        return MaskedChunk(std::move(bytes));
    }

    [[nodiscard]] std::string_view bytes() const { return bytes_; }
    [[nodiscard]] std::size_t size() const { return bytes_.size(); }
    [[nodiscard]] bool empty() const { return bytes_.empty(); }

    /// Appends the next chunk of the same masker.
    MaskedChunk& append(const MaskedChunk& next) {
        bytes_ += next.bytes_;
        return *this;
    }
    MaskedChunk& append(LiteralText words) {
        bytes_ += words.text();
        return *this;
    }
    /// Only for numbers that we counted ourselves, such as bytes. A number from outside must go through a masker.
    MaskedChunk& append_count(std::uint64_t count) {
        bytes_ += std::to_string(count);
        return *this;
    }

    /// Removes and returns the first `count` bytes, or all if there are fewer.
    [[nodiscard]] MaskedChunk take_front(std::size_t count) {
        MaskedChunk front(bytes_.substr(0, count));
        bytes_.erase(0, count);
        return front;
    }

  private:
    friend class MaskSet;
    friend class Masker;
    friend class MaskedJson;
    explicit MaskedChunk(std::string bytes) : bytes_(std::move(bytes)) {}

    std::string bytes_;
};

}  // namespace trebuchet
