#pragma once

#include "common/mask/mask_set.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trebuchet::test {

/// What a masker has to do, done in the most obvious way, in O(text × literals): the reference for properties.
class MaskOracle {
  public:
    /// `set` must be built from these values with this minimum; the oracle uses it only for the mask of each single
    /// value.
    MaskOracle(const MaskSet& set, const std::vector<std::string>& values, std::size_t min_length);

    /// What a masker must emit after `text`: the masked text up to the first position where a value may begin.
    [[nodiscard]] std::string certain(std::string_view text) const;
    /// The masked `text`.
    [[nodiscard]] std::string masked(std::string_view text) const;
    /// Checks `out`, the output of a masker for `text` with release() between writes; returns the problem or "".
    /// Expected: one mask for each run of values, or for its rest after the bytes that may be shown. `text` must not
    /// contain asterisks.
    [[nodiscard]] std::string complaint_about_released(std::string_view text, std::string_view out) const;
    /// How many bytes of `text` must be held back.
    [[nodiscard]] std::size_t held(std::string_view text) const;

  private:
    struct Entry {
        std::string bytes;
        std::string mask;
        bool any_case;

        /// Number of equal bytes in `text`.
        [[nodiscard]] std::size_t common(std::string_view text) const;
    };
    void add(Entry entry);
    /// For each occurrence of a value in `text`: the position of each of its bytes.
    [[nodiscard]] std::vector<std::vector<std::size_t>> places(std::string_view text) const;
    [[nodiscard]] const std::vector<Entry>& entries_at(std::string_view text) const {
        return entries_[static_cast<unsigned char>(text.front())];
    }
    struct Visible;
    using Views = std::vector<Visible>;
    [[nodiscard]] static Views views_of(std::string_view text, bool last);
    [[nodiscard]] std::pair<const Entry*, std::size_t> longest_at(std::string_view text, const Views& views,
                                                                  std::size_t position) const;
    [[nodiscard]] std::string masked_until(std::string_view text, std::size_t until, bool last) const;

    /// By first byte.
    std::array<std::vector<Entry>, 256> entries_;
};

[[nodiscard]] std::vector<NamedSecret> named(const std::vector<std::string>& values);

}  // namespace trebuchet::test
