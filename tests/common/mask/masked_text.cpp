#include "tests/common/mask/masked_text.hpp"

#include "tests/common/mask/mask_oracle.hpp"

#include <algorithm>
#include <random>

#include <gtest/gtest.h>

namespace trebuchet::test {

std::shared_ptr<const MaskSet> set_of(const std::vector<std::string>& values, std::size_t min_length) {
    auto set = MaskSet::build(named(values), {min_length, MaskHash::keyed});
    EXPECT_TRUE(set.has_value()) << set.error().message();
    return *set;
}

std::string fed_in_pieces(const std::shared_ptr<const MaskSet>& set, const std::vector<std::string_view>& pieces) {
    Masker masker(set);
    std::string out;
    for (const auto piece : pieces) out += masker.write(piece).bytes();
    out += masker.finish().bytes();
    return out;
}

std::vector<std::string_view> cut_at_random(std::string_view text, std::size_t longest, unsigned seed) {
    std::mt19937 engine(seed);
    std::vector<std::string_view> pieces;
    while (!text.empty()) {
        pieces.push_back(text.substr(0, 1 + engine() % longest));
        text.remove_prefix(pieces.back().size());
    }
    return pieces;
}

std::string with_masks_as_m(std::string_view text) {
    std::string shown;
    for (std::size_t i = 0; i < text.size();) {
        const bool is_mask = text.substr(i, 2) == "**" && i + 10 <= text.size() && text.substr(i + 8, 2) == "**";
        shown += is_mask ? 'M' : text[i];
        i += is_mask ? 10 : 1;
    }
    return shown;
}

std::string masked_by(const std::shared_ptr<const MaskSet>& set, std::string_view text) {
    const auto result = fed_in_pieces(set, {text});
    EXPECT_EQ(fed_in_pieces(set, cut_at_random(text, 1, 0)), result) << "fed byte by byte";
    for (unsigned seed = 1; seed <= 20; ++seed) {
        EXPECT_EQ(fed_in_pieces(set, cut_at_random(text, 7, seed)), result) << "cut at random, seed " << seed;
    }
    EXPECT_EQ(set->mask(text).bytes(), result) << "as a complete text";
    return with_masks_as_m(result);
}

std::string masked(const std::vector<std::string>& values, const std::string& text, std::size_t min_length) {
    const auto set = set_of(values, min_length);
    std::vector<std::string_view> as_written;
    std::string whole;
    for (std::size_t begin = 0; begin <= text.size();) {
        const auto end = std::min(text.find('|', begin), text.size());
        as_written.push_back(std::string_view(text).substr(begin, end - begin));
        whole += as_written.back();
        begin = end + 1;
    }
    auto shown = masked_by(set, whole);
    EXPECT_EQ(with_masks_as_m(fed_in_pieces(set, as_written)), shown) << "as written";
    return shown;
}

std::string mask_of(const MaskSet& set, std::string_view value) {
    return std::string(set.mask(value).bytes());
}

}  // namespace trebuchet::test
