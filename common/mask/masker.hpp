#pragma once

#include "common/mask/mask_set.hpp"
#include "common/mask/masked_chunk.hpp"

#include <cstddef>
#include <memory>
#include <string_view>

namespace trebuchet {

/// Masks one stream of bytes, wherever the writes happen to cut it. Each run of overlapping values becomes one mask,
/// that of its leftmost value, and of several that begin there of the longest. Values that only touch have a mask each.
/// A mask comes out as soon as it is certain, even if its run may still grow.
///
/// Each form of a value (secret_forms.hpp) counts as a value. One of at least 4 bytes is also found where line ends and
/// terminal sequences cut it, of at most 64 bytes in one place (gap.hpp).
///
/// Holds back only what may still become the start of a value, and a terminal sequence that is not finished: at most
/// the longest form minus one byte, and what cuts it. Not for use by two threads at once.
class Masker {
  public:
    /// `counts`: each mask is counted there, also after change_set(); null: nowhere.
    explicit Masker(std::shared_ptr<const MaskSet> set, std::shared_ptr<MaskCounts> counts = nullptr);
    ~Masker();
    Masker(Masker&&) noexcept;
    Masker& operator=(Masker&&) noexcept;

    /// Takes the stream's next bytes; returns what is certain by now, which may be nothing.
    [[nodiscard]] MaskedChunk write(std::string_view bytes);

    /// Goes on with another set, as of the bytes that are held back now.
    [[nodiscard]] MaskedChunk change_set(std::shared_ptr<const MaskSet> set);

    /// For a prompt that waits without a line end, after nothing has come for a while: returns what is held back as far
    /// as that shows at most min(3, a quarter) of the bytes of any value (or form) that may be under way, however often
    /// it is called. If such a value comes, one mask stands for the rest of it. Of a well-known credential that may be
    /// under way nothing is let out.
    [[nodiscard]] MaskedChunk release();

    /// The stream has ended: returns what was held back. The masker then starts a new stream.
    [[nodiscard]] MaskedChunk finish();

    /// Bytes held back now, with those that release() has let out.
    [[nodiscard]] std::size_t held() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace trebuchet
