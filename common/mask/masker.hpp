#pragma once

#include "common/mask/mask_set.hpp"
#include "common/mask/masked_chunk.hpp"

#include <cstddef>
#include <memory>
#include <string_view>

namespace trebuchet {

/// Masks a stream of bytes, however it is split between writes. A run of overlapping values becomes one mask: that of
/// its leftmost value, or of the longest of several leftmost ones. Adjacent values get one mask each. A mask is emitted
/// as soon as it is certain, even if its run may still grow.
///
/// All forms of a value (secret_forms.hpp) are masked. A form of at least 4 bytes is also found if line ends and
/// terminal sequences interrupt it, up to 64 bytes per interruption (gap.hpp).
///
/// Holds back only incomplete terminal sequences and bytes that may be the start of a value: at most the longest form
/// minus one byte, plus its interruptions. Not thread-safe.
class Masker {
  public:
    /// Counts masks in `counts`, if set, also after change_set().
    explicit Masker(std::shared_ptr<const MaskSet> set, std::shared_ptr<MaskCounts> counts = nullptr);
    ~Masker();
    Masker(Masker&&) noexcept;
    Masker& operator=(Masker&&) noexcept;

    /// Adds the next bytes of the stream. Returns what is certain now, which may be nothing.
    [[nodiscard]] MaskedChunk write(std::string_view bytes);

    /// Continues with another set, starting with the bytes that are held back now.
    [[nodiscard]] MaskedChunk change_set(std::shared_ptr<const MaskSet> set);

    /// Call this after a pause, so that a prompt without a line end becomes visible. Returns held bytes. Of a form that
    /// may have begun, it shows at most 3 bytes, or a quarter if that is less, even after several calls. If the value
    /// then arrives, its rest becomes one mask. Shows nothing of a well-known credential that may have begun.
    [[nodiscard]] MaskedChunk release();

    /// Ends the stream and returns what was held back. The masker then starts a new stream.
    [[nodiscard]] MaskedChunk finish();

    /// Number of bytes held back, including those that release() has returned.
    [[nodiscard]] std::size_t held() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace trebuchet
