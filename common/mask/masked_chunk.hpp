#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace trebuchet {

/// Bytes in which no registered secret stands any more. Only a masker makes them (MaskSet::mask, Masker), and logs,
/// files, the spool and the server's calls take nothing else.
class MaskedChunk {
  public:
    MaskedChunk() = default;

    [[nodiscard]] std::string_view bytes() const { return bytes_; }
    [[nodiscard]] std::size_t size() const { return bytes_.size(); }
    [[nodiscard]] bool empty() const { return bytes_.empty(); }

    /// Joins what the same masker made next.
    void append(const MaskedChunk& next) { bytes_ += next.bytes_; }

    /// Takes the first `count` bytes (or all, if fewer) off the front.
    [[nodiscard]] MaskedChunk take_front(std::size_t count) {
        MaskedChunk front(bytes_.substr(0, count));
        bytes_.erase(0, count);
        return front;
    }

  private:
    friend class MaskSet;
    friend class Masker;
    explicit MaskedChunk(std::string bytes) : bytes_(std::move(bytes)) {}

    std::string bytes_;
};

}  // namespace trebuchet
