#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace trebuchet {

/// Bytes without registered secrets. Only MaskSet::mask and Masker can make them; logs, files, the spool and the
/// server's calls accept nothing else.
class MaskedChunk {
  public:
    MaskedChunk() = default;

    [[nodiscard]] std::string_view bytes() const { return bytes_; }
    [[nodiscard]] std::size_t size() const { return bytes_.size(); }
    [[nodiscard]] bool empty() const { return bytes_.empty(); }

    /// Appends the same masker's next chunk.
    void append(const MaskedChunk& next) { bytes_ += next.bytes_; }

    /// Removes and returns the first `count` bytes, or all if there are fewer.
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
