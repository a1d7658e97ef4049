#include "common/mask/literal_table.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

namespace trebuchet {
namespace {

constexpr unsigned filter_bits = 15;

std::size_t hash_four(const char* bytes) {
    std::uint32_t word = 0;
    std::memcpy(&word, bytes, sizeof word);
    return (word * 0x9E3779B1U) >> (32U - filter_bits);
}

unsigned char byte_of(char c) {
    return static_cast<unsigned char>(c);
}

/// How many bytes at the end of both are equal, given that the last `known` are.
std::size_t common_suffix(std::string_view left, std::string_view right, std::size_t known) {
    const auto most = std::min(left.size(), right.size());
    const char* left_end = left.data() + left.size();
    const char* right_end = right.data() + right.size();
    while (known + 64 <= most && std::memcmp(left_end - known - 64, right_end - known - 64, 64) == 0) known += 64;
    while (known < most && *(left_end - known - 1) == *(right_end - known - 1)) ++known;
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

LiteralTable::LiteralTable(std::vector<Literal> literals) : literals_(std::move(literals)) {
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

void LiteralTable::group_by_anchor() {
    for (std::uint32_t i = 0; i < literals_.size(); ++i) backwards_.push_back(i);
    std::sort(backwards_.begin(), backwards_.end(),
              [this](std::uint32_t left, std::uint32_t right) { return less_backwards(bytes(left), bytes(right)); });
    suffix_.assign(backwards_.size(), none);
    for (std::uint32_t place = 0; place < backwards_.size(); ++place) {
        const auto literal = bytes(backwards_[place]);
        if (groups_.empty() || anchor_of(bytes(backwards_[groups_.back().begin])) != anchor_of(literal)) {
            groups_.push_back({place, place + 1});
            continue;
        }
        groups_.back().end = place + 1;
        auto candidate = place - 1;
        while (candidate != none && !literal.ends_with(bytes(backwards_[candidate]))) candidate = suffix_[candidate];
        suffix_[place] = candidate;
    }
}

void LiteralTable::fill_filters() {
    first_four_.assign((std::size_t{1} << filter_bits) / 64, 0);
    for (const auto& literal : literals_) {
        const auto value = literal.bytes.reveal();
        if (value.size() > 1) first_byte_[byte_of(value.front())] = true;
        if (value.size() > 4) {
            const auto hash = hash_four(value.data());
            first_four_[hash / 64] |= std::uint64_t{1} << (hash % 64);
        }
    }
}

std::vector<std::string_view> LiteralTable::anchors() const {
    std::vector<std::string_view> found;
    found.reserve(groups_.size());
    for (const auto& group : groups_) found.push_back(anchor_of(bytes(backwards_[group.begin])));
    return found;
}

std::uint32_t LiteralTable::longest_at_end(std::string_view text, std::uint32_t anchor) const {
    const auto group = groups_[anchor];
    const auto anchored = std::min(bytes(backwards_[group.begin]).size(), anchor_size);
    if (group.end - group.begin == 1) {
        const auto only = backwards_[group.begin];
        const auto head = bytes(only).substr(0, bytes(only).size() - anchored);
        const bool here =
            text.size() >= bytes(only).size() && text.substr(text.size() - bytes(only).size(), head.size()) == head;
        return here ? only : none;
    }
    // The last literal not after the text, both read backwards; the answer is that one or one of its suffixes.
    auto low = group.begin;
    auto high = group.end;
    std::size_t low_common = anchored;
    std::size_t high_common = anchored;
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
        const auto hash = hash_four(text.data() + position);
        if ((first_four_[hash / 64] >> (hash % 64) & 1U) != 0 && is_proper_prefix(text.substr(position))) {
            return position;
        }
    }
    for (; position < text.size(); ++position) {
        if (first_byte_[byte_of(text[position])] && is_proper_prefix(text.substr(position))) return position;
    }
    return text.size();
}

}  // namespace trebuchet
