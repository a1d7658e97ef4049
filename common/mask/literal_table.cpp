#include "common/mask/literal_table.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace trebuchet {
namespace {

unsigned char byte_of(char c) {
    return static_cast<unsigned char>(c);
}

/// How many bytes at the end of both are equal, given that the last `known` are.
std::size_t common_suffix(std::string_view left, std::string_view right, std::size_t known) {
    const auto most = std::min(left.size(), right.size());
    const char* left_end = left.data() + left.size();
    const char* right_end = right.data() + right.size();
    const auto equal_before = [&](std::size_t block) {
        return known + block <= most && std::memcmp(left_end - known - block, right_end - known - block, block) == 0;
    };
    std::size_t block = 16;
    for (; equal_before(block); block *= 2) known += block;
    while (block > 1) {
        block /= 2;
        if (equal_before(block)) known += block;
    }
    return known;
}

bool less_backwards(std::string_view left, std::string_view right) {
    const auto common = common_suffix(left, right, 0);
    if (common == left.size() || common == right.size()) return left.size() < right.size();
    return byte_of(left[left.size() - common - 1]) < byte_of(right[right.size() - common - 1]);
}

std::string_view anchor_of(std::string_view literal) {
    return literal.substr(literal.size() - std::min(literal.size(), LiteralTable::anchor_size));
}

}  // namespace

LiteralTable::LiteralTable(std::vector<Literal> literals)
    : literals_(std::move(literals)), first_four_(literals_.size()), last_four_(literals_.size()) {
    std::stable_sort(literals_.begin(), literals_.end(), [](const Literal& left, const Literal& right) {
        return left.bytes.reveal() < right.bytes.reveal();
    });
    const auto same = [](const Literal& left, const Literal& right) {
        return left.bytes.reveal() == right.bytes.reveal();
    };
    literals_.erase(std::unique(literals_.begin(), literals_.end(), same), literals_.end());
    for (const auto& literal : literals_) longest_ = std::max(longest_, literal.bytes.size());
    group_by_anchor();
    fill_filters();
}

/// Of the bits one in a hundred is set; the whole fits into the first-level cache up to a thousand literals or so.
LiteralTable::Filter::Filter(std::size_t count)
    : hash_bits_(static_cast<unsigned>(std::clamp<std::size_t>(std::bit_width(count * 64), 10, 22))),
      words_((std::size_t{1} << hash_bits_) / 64) {}

void LiteralTable::Filter::add(const char* four_bytes) {
    const auto bit = hash(four_bytes);
    words_[bit / 64] |= std::uint64_t{1} << (bit % 64);
}

inline bool LiteralTable::Filter::may_hold(const char* four_bytes) const {
    const auto bit = hash(four_bytes);
    return (words_.data()[bit / 64] >> (bit % 64) & 1U) != 0;
}

inline std::size_t LiteralTable::Filter::hash(const char* four_bytes) const {
    std::uint32_t word = 0;
    std::memcpy(&word, four_bytes, sizeof word);
    return (word * 0x9E3779B1U) >> (32U - hash_bits_);
}

/// Read backwards, the literals that end with the first of a group's anchor follow it immediately.
void LiteralTable::group_by_anchor() {
    for (std::uint32_t i = 0; i < literals_.size(); ++i) backwards_.push_back(i);
    std::sort(backwards_.begin(), backwards_.end(),
              [this](std::uint32_t left, std::uint32_t right) { return less_backwards(bytes(left), bytes(right)); });
    for (std::uint32_t place = 0; place < backwards_.size(); ++place) {
        const auto literal = bytes(backwards_[place]);
        auto suffix = place == 0 ? none : place - 1;
        while (suffix != none && !literal.ends_with(bytes(backwards_[suffix]))) suffix = suffix_[suffix];
        suffix_.push_back(suffix);
        if (!groups_.empty() && literal.ends_with(anchor_of(bytes(backwards_[groups_.back().begin])))) {
            groups_.back().end = place + 1;
        } else {
            groups_.push_back({place, place + 1, anchor_of(literal).size()});
        }
    }
}

void LiteralTable::fill_filters() {
    for (const auto& literal : literals_) {
        const auto value = literal.bytes.reveal();
        if (value.size() > 1) first_byte_[byte_of(value.front())] = true;
        if (value.size() > 4) first_four_.add(value.data());
        if (value.size() < 4) last_byte_[byte_of(value.back())] = true;
        if (value.size() >= 4) last_four_.add(value.data() + value.size() - 4);
    }
}

std::vector<std::string_view> LiteralTable::anchors() const {
    std::vector<std::string_view> found;
    found.reserve(groups_.size());
    for (const auto& group : groups_) found.push_back(anchor_of(bytes(backwards_[group.begin])));
    return found;
}

std::uint32_t LiteralTable::longest_at_end(std::string_view text, std::uint32_t anchor) const {
    return longest_in_group(text, groups_[anchor]);
}

std::uint32_t LiteralTable::longest_at_end(std::string_view text) const {
    if (text.empty()) return none;
    const bool maybe =
        last_byte_[byte_of(text.back())] || (text.size() >= 4 && last_four_.may_hold(text.data() + text.size() - 4));
    return maybe ? longest_in_group(text, {0, static_cast<std::uint32_t>(backwards_.size()), 0}) : none;
}

/// Finds the last literal not after the text, both read backwards; the answer is that one or one that it ends with.
std::uint32_t LiteralTable::longest_in_group(std::string_view text, const Group& group) const {
    if (group.end - group.begin == 1) {
        const auto only = backwards_[group.begin];
        return text.ends_with(bytes(only)) ? only : none;
    }
    auto low = group.begin;
    auto high = group.end;
    auto low_common = group.anchor_size;
    auto high_common = group.anchor_size;
    while (low < high) {
        const auto middle = low + (high - low) / 2;
        const auto literal = bytes(backwards_[middle]);
        const auto common = common_suffix(text, literal, std::min(low_common, high_common));
        const bool not_after =
            common == literal.size() || (common < text.size() && byte_of(literal[literal.size() - common - 1]) <
                                                                     byte_of(text[text.size() - common - 1]));
        if (not_after) {
            low = middle + 1;
            low_common = common;
        } else {
            high = middle;
            high_common = common;
        }
    }
    auto place = low == group.begin ? none : low - 1;
    while (place != none && bytes(backwards_[place]).size() > low_common) place = suffix_[place];
    return place == none ? none : backwards_[place];
}

bool LiteralTable::is_proper_prefix(std::string_view rest) const {
    auto at = std::partition_point(literals_.begin(), literals_.end(),
                                   [rest](const Literal& literal) { return literal.bytes.reveal() < rest; });
    if (at != literals_.end() && at->bytes.size() == rest.size() && at->bytes.reveal() == rest) ++at;
    return at != literals_.end() && at->bytes.reveal().starts_with(rest);
}

std::size_t LiteralTable::first_open(std::string_view text, std::size_t from) const {
    if (longest_ == 0) return text.size();
    auto position = std::max(from, text.size() - std::min(text.size(), longest_ - 1));
    for (; position + 4 <= text.size(); ++position) {
        if (first_four_.may_hold(text.data() + position) && is_proper_prefix(text.substr(position))) return position;
    }
    for (; position < text.size(); ++position) {
        if (first_byte_[byte_of(text[position])] && is_proper_prefix(text.substr(position))) return position;
    }
    return text.size();
}

}  // namespace trebuchet
