#pragma once

#include "common/mask/mask_set.hpp"

#include <memory>
#include <string_view>

namespace trebuchet {

/// A mask set without values, which masks nothing. For tests only.
inline const MaskSet& no_masks() {
    static const std::shared_ptr<const MaskSet> set = MaskSet::none();
    return *set;
}

/// Turns any text into a MaskedChunk. For tests only.
inline MaskedChunk masked(std::string_view text) {
    return no_masks().mask(text);
}

}  // namespace trebuchet
