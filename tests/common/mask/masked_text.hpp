#pragma once

#include "common/mask/masker.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet::test {

[[nodiscard]] std::shared_ptr<const MaskSet> set_of(const std::vector<std::string>& values, std::size_t min_length = 3);

/// What a new masker makes of `pieces`, written one after another.
[[nodiscard]] std::string fed_in_pieces(const std::shared_ptr<const MaskSet>& set,
                                        const std::vector<std::string_view>& pieces);

/// Pieces of 1 to `longest` bytes.
[[nodiscard]] std::vector<std::string_view> cut_at_random(std::string_view text, std::size_t longest, unsigned seed);

/// With each mask as M.
[[nodiscard]] std::string with_masks_as_m(std::string_view text);

/// Expects the same result however `text` is cut, and returns it with each mask as M.
[[nodiscard]] std::string masked_by(const std::shared_ptr<const MaskSet>& set, std::string_view text);

/// `text` with `|` between writes. Expects the same result however the text is cut, and returns it with each mask as M.
[[nodiscard]] std::string masked(const std::vector<std::string>& values, const std::string& text,
                                 std::size_t min_length = 3);

[[nodiscard]] std::string mask_of(const MaskSet& set, std::string_view value);

}  // namespace trebuchet::test
