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
    /// `set` was built from these values with this minimum; it is asked for the mask of each value alone.
    MaskOracle(const MaskSet& set, const std::vector<std::string>& values, std::size_t min_length);

    /// What is certain after `text` has been written: the masked text up to the first position that may begin a value.
    [[nodiscard]] std::string certain(std::string_view text) const;
    /// All of `text` masked.
    [[nodiscard]] std::string masked(std::string_view text) const;
    /// What is wrong with `out`, which a masker made of `text` with release() between writes; "" if nothing is. It is
    /// to be the text with one mask in place of each run of values, or of its rest behind the bytes that may be shown.
    /// There may be no asterisks in `text`.
    [[nodiscard]] std::string complaint_about_released(std::string_view text, std::string_view out) const;
    /// How many bytes of `text` have to be held back.
    [[nodiscard]] std::size_t held(std::string_view text) const;

  private:
    struct Entry {
        std::string bytes;
        std::string mask;
        bool any_case;

        /// How many bytes of `text` are like this one's.
        [[nodiscard]] std::size_t common(std::string_view text) const;
    };
    void add(Entry entry);
    /// Where each byte of a value stands, for each place where one stands in `text`.
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

    /// By the byte that they begin with.
    std::array<std::vector<Entry>, 256> entries_;
};

[[nodiscard]] std::vector<NamedSecret> named(const std::vector<std::string>& values);

}  // namespace trebuchet::test
