#include "common/mask/literal_table.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

// A. Which literal ends here? (longest_at_end)
//
//  1. The matcher reports that an anchor ends here. The literals with this anchor are a group in backwards_, which is
//     sorted by reversed bytes.
//  2. A binary search in the group finds the last literal that is not after the text, both read backwards.
//  3. If the text ends with it, it is the longest one. If not, follow suffix_ to shorter literals, until one has no
//     more bytes than the text and the found literal have in common.
//
//  Example: literals "cd", "abcd", "xcd", reversed: "dc", "dcba", "dcx". Text "…zbcd", reversed "dcbz…": the last one
//  not after it is "dcba", with 3 bytes in common. "abcd" has 4 bytes; its suffix "cd" has 2: the answer is "cd".
//
// B. Where may a literal begin that is not complete yet? (first_open)
//
//  1. Filters with the first one to four bytes of literals reject most positions.
//  2. A binary search in literals_, sorted by bytes, finds a literal that begins with the rest of the text.
//  3. A long literal that arrives in small pieces, or nearly arrives, must not be compared from its start each time.
//     LiteralPrefix remembers the literal and how many bytes are equal. goes_on() then compares only the new bytes. If
//     they differ, is_open_beside() asks only the neighbour in sorted order whether it begins with the text, and
//     goes_on_shifted() uses the literal's overlap with itself to test one later position.
//
//  Example: literals "abcabd" and "abd". After "abcab" position 0 is open, with 5 known bytes. Next byte "c": "abcabd"
//  is after "abcabc" and has no neighbour before it, so position 0 is not open any more. Position 3: from byte 3 on the
//  literal is "abd", which has 2 bytes in common with its own start; only "c" remains to compare, and "abc" is a proper
//  prefix of "abcabd". Position 3 is open.
namespace trebuchet {
namespace {

unsigned char byte_of(char c) {
    return static_cast<unsigned char>(c);
}

bool equal(const char* text, const char* literal, std::size_t count, bool any_case) {
    if (!any_case) return std::memcmp(text, literal, count) == 0;
    bool same = true;
    for (std::size_t i = 0; i < count; ++i) {
        const char c = text[i];
        same &= (c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c) == literal[i];
    }
    return same;
}

/// A text and a literal, compared from their starts.
struct Forwards {
    const char* left;
    const char* right;
    std::size_t most;
    bool any_case;

    Forwards(std::string_view text, std::string_view literal, bool folds)
        : left(text.data()), right(literal.data()), most(std::min(text.size(), literal.size())), any_case(folds) {}
    [[nodiscard]] bool equal_after(std::size_t done, std::size_t count) const {
        return equal(left + done, right + done, count, any_case);
    }
};

/// A text and a literal, compared from their ends.
struct Backwards {
    const char* left_end;
    const char* right_end;
    std::size_t most;
    bool any_case;

    Backwards(std::string_view text, std::string_view literal, bool folds)
        : left_end(text.data() + text.size()),
          right_end(literal.data() + literal.size()),
          most(std::min(text.size(), literal.size())),
          any_case(folds) {}
    [[nodiscard]] bool equal_after(std::size_t done, std::size_t count) const {
        return equal(left_end - done - count, right_end - done - count, count, any_case);
    }
};

/// Number of equal bytes of two texts, whose first `known` bytes are equal. Most texts differ soon, some only after
/// kilobytes, so the compared blocks grow.
template <typename Texts>
std::size_t common_bytes(const Texts& texts, std::size_t known) {
    const auto near = std::min(texts.most, known + 16);
    while (known < near && texts.equal_after(known, 1)) ++known;
    if (known < near) return known;
    std::size_t block = 64;
    for (; known + block <= texts.most && texts.equal_after(known, block); block *= 2) known += block;
    for (block /= 2; block >= 8; block /= 2) {
        if (known + block <= texts.most && texts.equal_after(known, block)) known += block;
    }
    while (known < texts.most && texts.equal_after(known, 1)) ++known;
    return known;
}

bool less_backwards(std::string_view left, std::string_view right) {
    const auto common = common_bytes(Backwards(left, right, false), 0);
    if (common == left.size() || common == right.size()) return left.size() < right.size();
    return byte_of(left[left.size() - common - 1]) < byte_of(right[right.size() - common - 1]);
}

}  // namespace

LiteralTable::LiteralTable(std::vector<Literal> literals, bool any_case)
    : any_case_(any_case),
      literals_(std::move(literals)),
      first_bytes_(2 * literals_.size()),
      last_bytes_(literals_.size()) {
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

/// Sized so that at most one bit in 32 is set.
LiteralTable::Filter::Filter(std::size_t count)
    : hash_bits_(static_cast<unsigned>(std::clamp<std::size_t>(std::bit_width(count * 32), 10, 22))),
      words_((std::size_t{1} << hash_bits_) / 64) {}

template <std::size_t size>
void LiteralTable::Filter::add(const char* bytes) {
    const auto bit = hash<size>(bytes);
    words_[bit / 64] |= std::uint64_t{1} << (bit % 64);
}

template <std::size_t size>
bool LiteralTable::Filter::may_hold(const char* bytes) const {
    const auto bit = hash<size>(bytes);
    return (words_.data()[bit / 64] >> (bit % 64) & 1U) != 0;
}

template <std::size_t size>
std::size_t LiteralTable::Filter::hash(const char* bytes) const {
    static_assert(size == 3 || size == 4);
    std::uint32_t word = 0;
    std::memcpy(&word, bytes, size);
    return ((word + static_cast<std::uint32_t>(4 - size)) * 0x9E3779B1U) >> (32U - hash_bits_);
}

/// Hyperscan from 5.4.1 on, and Vectorscan, take no literal that begins with a NUL byte. NUL sorts first, so a group
/// still begins with its shortest anchor.
std::string_view LiteralTable::anchor_of(std::string_view literal) const {
    const auto size = literals_.size() < many ? anchor_size : anchor_size_of_many;
    auto anchor = literal.substr(literal.size() - std::min(literal.size(), size));
    while (anchor.size() > 1 && anchor.front() == '\0') anchor.remove_prefix(1);
    return anchor;
}

/// In reversed order, all literals that end with the anchor of a group's first literal follow it directly.
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
        for (const char c : value) alphabet_[byte_of(c)] = 1;
        if (value.size() > 1) first_byte_[byte_of(value.front())] = 1;
        if (value.size() > 2) first_pair_.add(value.data());
        if (value.size() > 3) first_bytes_.add<3>(value.data());
        if (value.size() > 4) first_bytes_.add<4>(value.data());
        if (value.size() < 4) {
            last_byte_[byte_of(value.back())] = 1;
        } else {
            last_bytes_.add<4>(value.data() + value.size() - 4);
        }
    }
}

std::vector<std::string_view> LiteralTable::anchors() const {
    std::vector<std::string_view> found;
    found.reserve(groups_.size());
    for (const auto& group : groups_) found.push_back(anchor_of(bytes(backwards_[group.begin])));
    return found;
}

std::vector<std::string_view> LiteralTable::heads() const {
    std::vector<std::string_view> found;
    for (const auto& literal : literals_) {
        if (literal.bytes.size() <= long_size) continue;
        const auto head = literal.bytes.reveal().substr(0, head_size);
        if (found.empty() || found.back() != head) found.push_back(head);
    }
    return found;
}

std::uint32_t LiteralTable::longest_at_end(std::string_view text, std::uint32_t anchor) const {
    return longest_in_group(text, groups_[anchor]);
}

std::uint32_t LiteralTable::longest_at_end(std::string_view text) const {
    if (text.empty() || literals_.empty()) return none;
    const auto may_end = [this](const char* end) {
        const std::array<char, 4> bytes{folded(end[-4]), folded(end[-3]), folded(end[-2]), folded(end[-1])};
        return last_bytes_.may_hold<4>(bytes.data());
    };
    const bool maybe =
        last_byte_[byte_of(folded(text.back()))] != 0 || (text.size() >= 4 && may_end(text.data() + text.size()));
    return maybe ? longest_in_group(text, {0, static_cast<std::uint32_t>(backwards_.size()), 0}) : none;
}

/// See A at the top.
std::uint32_t LiteralTable::longest_in_group(std::string_view text, const Group& group) const {
    const auto last = backwards_[group.end - 1];
    const auto last_literal = bytes(last);
    const bool ends_with_last =
        text.size() >= last_literal.size() &&
        equal(text.data() + text.size() - last_literal.size(), last_literal.data(), last_literal.size(), any_case_);
    if (ends_with_last) return last;
    if (group.end - group.begin == 1) return none;
    auto low = group.begin;
    auto high = group.end;
    auto low_common = group.anchor_size;
    auto high_common = group.anchor_size;
    while (low < high) {
        const auto middle = low + (high - low) / 2;
        const auto literal = bytes(backwards_[middle]);
        const auto common = common_bytes(Backwards(text, literal, any_case_), std::min(low_common, high_common));
        const bool not_after =
            common == literal.size() || (common < text.size() && byte_of(literal[literal.size() - common - 1]) <
                                                                     byte_of(folded(text[text.size() - common - 1])));
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

/// The literals that begin with `rest` come directly after `rest` in sorted order.
std::uint32_t LiteralTable::open_literal(std::string_view rest, std::size_t least) const {
    std::size_t low = 0;
    std::size_t high = literals_.size();
    std::size_t low_common = 0;
    std::size_t high_common = 0;
    while (low < high) {
        const auto middle = low + (high - low) / 2;
        const auto literal = literals_[middle].bytes.reveal();
        const auto common = common_bytes(Forwards(rest, literal, any_case_), std::min(low_common, high_common));
        if (common == rest.size() && common < literal.size()) {
            const auto place = static_cast<std::uint32_t>(middle);
            return literal.size() >= least ? place : open_literal_near(place, rest, least);
        }
        if (common == literal.size() || byte_of(literal[common]) < byte_of(folded(rest[common]))) {
            low = middle + 1;
            low_common = common;
        } else {
            high = middle;
            high_common = common;
        }
    }
    return none;
}

std::size_t LiteralTable::alphabet_begin(std::string_view text, std::size_t from) const {
    auto begin = text.size();
    while (begin > from && alphabet_[byte_of(folded(text[begin - 1]))] != 0) --begin;
    return begin;
}

/// Like open_literal; `place` is a literal that begins with `rest` but is shorter than `least` bytes.
std::uint32_t LiteralTable::open_literal_near(std::uint32_t place, std::string_view rest, std::size_t least) const {
    for (auto i = place + 1; i < literals_.size() && begins_with(i, rest); ++i) {
        if (bytes(i).size() >= least) return i;
    }
    for (auto i = place; i > 0 && begins_with(i - 1, rest); --i) {
        if (bytes(i - 1).size() >= least) return i - 1;
    }
    return none;
}

std::size_t LiteralTable::shortest_open(std::string_view rest, std::size_t least) const {
    const auto place = open_literal(rest, least);
    if (place == none) return 0;
    auto shortest = bytes(place).size();
    const auto look_at = [&](std::uint32_t literal) {
        const auto size = bytes(literal).size();
        if (size > rest.size() && size >= least) shortest = std::min(shortest, size);
    };
    for (auto i = place + 1; i < literals_.size() && begins_with(i, rest); ++i) look_at(i);
    for (auto i = place; i > 0 && begins_with(i - 1, rest); --i) look_at(i - 1);
    return shortest;
}

bool LiteralTable::begins_with(std::uint32_t literal, std::string_view text) const {
    const auto whole = bytes(literal);
    return whole.size() >= text.size() && equal(text.data(), whole.data(), text.size(), any_case_);
}

bool LiteralTable::goes_on(std::uint32_t literal, std::string_view text, std::size_t known) const {
    const auto whole = bytes(literal);
    return whole.size() > text.size() &&
           equal(text.data() + known, whole.data() + known, text.size() - known, any_case_);
}

/// is_open(text), if the literal in `prefix` and its neighbours in sorted order are enough to tell.
std::optional<bool> LiteralTable::is_open_beside(const LiteralPrefix& prefix, std::string_view text) const {
    const auto place = prefix.literal;
    const auto order = [this, text](std::uint32_t literal, std::size_t known) {
        const auto whole = bytes(literal);
        const auto common = common_bytes(Forwards(text, whole, any_case_), known);
        if (common == text.size()) return whole.size() > common ? 0 : -1;
        return common == whole.size() || byte_of(whole[common]) < byte_of(folded(text[common])) ? -1 : 1;
    };
    const auto own = order(place, prefix.known);
    if (own == 0) return true;
    if (own < 0 ? place + 1 == literals_.size() : place == 0) return false;
    const auto other = order(own < 0 ? place + 1 : place - 1, 0);
    if (other == 0) return true;
    return other == own ? std::nullopt : std::optional(false);
}

/// True if the same literal may begin `shift` bytes later and is longer than the rest of the text.
bool LiteralTable::goes_on_shifted(LiteralPrefix& prefix, std::string_view text, std::size_t shift) const {
    const auto whole = bytes(prefix.literal);
    if (prefix.shift != shift) {
        const auto overlap = common_bytes(Forwards(whole.substr(shift), whole, false), 0);
        if (overlap < prefix.known - shift) return false;
        prefix.shift = shift;
        prefix.overlap = overlap;
    }
    const auto known = prefix.known - shift;
    return prefix.overlap >= known && goes_on(prefix.literal, text.substr(shift), known);
}

/// is_open(rest) for one or two bytes, without a search.
bool LiteralTable::begins_longer(std::string_view rest) const {
    if (rest.size() == 1) return first_byte_[byte_of(folded(rest[0]))] != 0;
    if (rest.size() != 2) return false;
    const std::array<char, 2> bytes{folded(rest[0]), folded(rest[1])};
    return first_pair_.has(bytes.data());
}

std::size_t LiteralTable::first_open(std::string_view text, std::size_t from, std::size_t until, std::size_t least,
                                     std::uint32_t* literal, LiteralPrefix* prefix) const {
    if (literals_.empty()) return until;
    if (prefix != nullptr && bytes(prefix->literal).size() < least) prefix = nullptr;
    const auto is_open_at = [&](std::size_t position) {
        if (least == 0 && begins_longer(text.substr(position))) {
            if (literal != nullptr) *literal = none;
            return true;
        }
        if (prefix != nullptr && position == 0 && text.size() >= least && is_open_beside(*prefix, text) == false) {
            return false;
        }
        if (prefix != nullptr && position > 0 && position < prefix->known) {
            const auto known = std::exchange(prefix, nullptr);  // trying a second position does not pay
            if (goes_on_shifted(*known, text, position)) {
                if (literal != nullptr) *literal = known->literal;
                return true;
            }
        }
        const auto open = open_literal(text.substr(position), least);
        if (open != none && literal != nullptr) *literal = open;
        return open != none;
    };
    const auto may_begin = [&](const char* bytes, std::size_t rest) {
        if (rest == 1) return first_byte_[byte_of(*bytes)] != 0;
        if (rest == 2) return first_pair_.has(bytes);
        return rest == 3 ? first_bytes_.may_hold<3>(bytes) : first_bytes_.may_hold<4>(bytes);
    };
    auto position = from;
    if (any_case_) {
        for (; position < until; ++position) {
            std::array<char, 4> head{};
            const auto rest = std::min(head.size(), text.size() - position);
            for (std::size_t i = 0; i < rest; ++i) head[i] = folded(text[position + i]);
            if (may_begin(head.data(), rest) && is_open_at(position)) return position;
        }
        return until;
    }
    for (; position < until && position + 4 <= text.size(); ++position) {
        if (first_bytes_.may_hold<4>(text.data() + position) && is_open_at(position)) return position;
    }
    for (; position < until; ++position) {
        if (may_begin(text.data() + position, text.size() - position) && is_open_at(position)) return position;
    }
    return until;
}

}  // namespace trebuchet
