#pragma once

#include "common/mask/mask_set.hpp"

#include <memory>
#include <string_view>

namespace trebuchet {

/// A set without values. For tests only: it masks nothing.
inline const MaskSet& no_masks() {
    static const std::shared_ptr<const MaskSet> set = MaskSet::none();
    return *set;
}

/// Makes any text a masked one. For tests only.
inline MaskedChunk masked(std::string_view text) {
    return no_masks().mask(text);
}

}  // namespace trebuchet
