#include "common/mask/views/runs_view.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

// How encoded runs are found and decoded:
//
//  1. A run is a maximal sequence of characters of base64 (both alphabets), which include those of base32 and hex.
//     Short runs are words.
//  2. If a long run is the last one of its line, the last run of the next line continues it, whatever stands before
//  that
//     one: a time, a container's name. These form a chain; most chains are one run.
//  3. The characters of a chain are decoded at each phase: where its quanta begin is unknown, because a path or a word
//  may
//     stand directly before it. Only what decodes to text is kept. Nearly all ordinary words fail this test within two
//     quanta.
//  4. Each kept sequence is a piece of the derived text. The characters at its ends also hold bits of its neighbours: a
//     value's mask begins behind such a character.
//
// Example: "app | dG9rZW46IHMzY3I⏎app | zdC12YWx1ZQ==": the chain is dG9rZW46IHMzY3IzdC12YWx1ZQ. At phase 0 all quanta
// are text: "token: s3cr3t-value".
namespace trebuchet {
namespace {

constexpr unsigned char none = 0xFF;

/// The values of an alphabet's characters.
struct Alphabet {
    std::array<unsigned char, 256> digit{};
    constexpr explicit Alphabet(std::string_view characters) {
        for (auto& one : digit) one = none;
        for (std::size_t i = 0; i < characters.size(); ++i) {
            digit[static_cast<unsigned char>(characters[i])] = static_cast<unsigned char>(i);
        }
    }
    [[nodiscard]] constexpr unsigned char of(char c) const { return digit[static_cast<unsigned char>(c)]; }
    [[nodiscard]] constexpr bool has(char c) const { return of(c) != none; }
};

constexpr Alphabet make_base64() {
    Alphabet alphabet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/");
    alphabet.digit['-'] = 62;
    alphabet.digit['_'] = 63;
    return alphabet;
}
constexpr Alphabet base64 = make_base64();
constexpr Alphabet base32("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567");

constexpr Alphabet make_hex() {
    Alphabet alphabet("0123456789abcdef");
    for (unsigned char i = 10; i < 16; ++i) alphabet.digit[static_cast<std::size_t>('A' + i - 10)] = i;
    return alphabet;
}
constexpr Alphabet hex = make_hex();

/// Shorter runs hold no value of eight bytes.
constexpr std::size_t shortest_run = 11;
/// Shorter runs do not continue in the next line.
constexpr std::size_t shortest_wrapped = 16;
/// Fewer decoded bytes are an accident, except at the end of an open text.
constexpr std::size_t shortest_text = 6;
constexpr std::size_t shortest_open_text = 3;
constexpr std::size_t base32_of_open_text = 5;  ///< its digits

struct TextBytes {
    std::array<bool, 256> member{};
    constexpr TextBytes() {
        for (unsigned c = 0x20; c < 0x7F; ++c) member.at(c) = true;
        for (const char c : {'\0', '\t', '\n', '\r', '\x1B'}) member[static_cast<unsigned char>(c)] = true;
    }
    [[nodiscard]] constexpr bool has(unsigned byte) const { return member[byte & 0xFFU]; }
};
constexpr TextBytes text_bytes;

/// Of base64: whether a character may be the first, second or third of a quantum of text.
struct QuantumFilter {
    std::array<unsigned char, 256> fits{};
    constexpr QuantumFilter() {
        for (unsigned c = 0; c < 256; ++c) {
            const auto digit = base64.digit.at(c);
            if (digit == none) continue;
            const bool first = digit == 0 || digit == 2 || digit == 3 || digit == 6 || (digit >= 8 && digit < 32);
            fits.at(c) = static_cast<unsigned char>((first ? 1U : 0U) | ((digit & 8U) == 0 ? 2U : 0U) |
                                                    ((digit & 2U) == 0 ? 4U : 0U));
        }
    }
    [[nodiscard]] bool text(const char* quantum) const {
        const auto at = [&](std::size_t i) { return fits[static_cast<unsigned char>(quantum[i])]; };
        return (at(0) & at(1) >> 1U & at(2) >> 2U & 1U) != 0;
    }
};
constexpr QuantumFilter quantum_filter;

}  // namespace

/// Where the character with this index in the chain stands.
std::size_t RunsView::in_source(std::size_t index) {
    if (chain_.size() == 1) return chain_[0].begin + index;
    const bool in_part = starts_[cursor_] <= index && (cursor_ + 1 == starts_.size() || index < starts_[cursor_ + 1]);
    if (!in_part) {
        const auto next = std::upper_bound(starts_.begin(), starts_.end(), index);
        cursor_ = static_cast<std::size_t>(next - starts_.begin()) - 1;
    }
    return chain_[cursor_].begin + (index - starts_[cursor_]);
}

namespace {

/// The digits [first, last) of a chain, `bits` each, as bytes. All digits must be in the alphabet.
struct Digits {
    std::string_view characters;
    std::size_t first;
    std::size_t last;
    const Alphabet& alphabet;
    unsigned bits;

    /// Calls `use(byte)` for each.
    template <typename Use>
    void each_byte(Use use) const {
        std::uint32_t held = 0;
        unsigned count = 0;
        for (auto i = first; i < last; ++i) {
            held = held << bits | alphabet.of(characters[i]);
            count += bits;
            if (count < 8) continue;
            count -= 8;
            use(held >> count & 0xFFU);
        }
    }
    [[nodiscard]] unsigned byte(std::size_t index) const {
        std::uint32_t held = 0;
        const auto end = 8 * (index + 1);
        auto digit = 8 * index / bits;
        for (; digit * bits < end; ++digit) held = held << bits | alphabet.of(characters[first + digit]);
        return held >> (digit * bits - end) & 0xFFU;
    }
};

/// Writes those bytes as a piece. `at(i)`: where character i of the chain stands.
template <typename At>
void write_bytes(const Digits& digits, std::size_t begin, std::size_t end, const At& at, PieceWriter& writer) {
    const auto bits = digits.bits;
    for (auto i = begin; i < end; ++i) {
        const auto last = digits.first + (8 * i + 7) / bits;
        const auto touch = digits.first + 8 * i / bits;
        const auto masked = std::min(digits.first + (8 * i + bits - 1) / bits, last);
        const bool is_shared = 8 * (i + 1) % bits != 0;  // the last character holds bits of the next byte
        writer.add(static_cast<char>(digits.byte(i)), at(touch), at(masked), at(is_shared ? last - 1 : last) + 1);
    }
}

/// Writes a piece for each sequence of text bytes. Most sequences are too short: they are not even written. `open`:
/// the last one goes on.
template <typename At>
void decode(const Digits& digits, const At& at, bool open, PieceWriter writer) {
    std::size_t begin = 0;  // of the sequence
    std::size_t index = 0;
    digits.each_byte([&](unsigned byte) {
        ++index;
        if (text_bytes.has(byte)) return;
        if (index - 1 - begin >= shortest_text) {
            write_bytes(digits, begin, index - 1, at, writer);
            writer.finish(false, shortest_text);
        }
        begin = index;
    });
    if (index - begin < (open ? shortest_open_text : shortest_text)) return;
    write_bytes(digits, begin, index, at, writer);
    writer.finish(open, shortest_open_text);
}

/// The longest sequence of characters of base32.
std::size_t longest_base32(std::string_view characters) {
    std::size_t longest = 0;
    std::size_t now = 0;
    for (const char c : characters) {
        now = base32.has(c) ? now + 1 : 0;
        longest = std::max(longest, now);
    }
    return longest;
}

struct Sequence {
    std::size_t first;
    std::size_t last;
};

/// The maximal sequences of characters of an alphabet that have at least `least`; with `open` also a shorter last one.
template <typename Use>
void each_sequence(std::string_view characters, const Alphabet& alphabet, std::size_t least, bool open, Use use) {
    for (std::size_t i = 0; i < characters.size();) {
        if (!alphabet.has(characters[i])) {
            ++i;
            continue;
        }
        auto end = i;
        while (end < characters.size() && alphabet.has(characters[end])) ++end;
        if (end - i >= least || (open && end == characters.size())) use(Sequence{i, end});
        i = end;
    }
}

/// The sequences of quanta, at any phase, that are text.
template <typename Use>
void each_text_in_base64(std::string_view characters, bool open, Use use) {
    constexpr std::size_t quantum = 4;
    std::array<std::size_t, quantum> done{};
    const auto size = characters.size();
    const auto is_text = [&](std::size_t i) { return quantum_filter.text(characters.data() + i); };
    for (std::size_t i = 0; i + 2 * quantum <= size; ++i) {
        if (i < done[i % quantum] || !is_text(i) || !is_text(i + quantum)) continue;
        auto last = i + 2 * quantum;
        while (last + quantum <= size && is_text(last)) last += quantum;
        use(Sequence{i >= quantum ? i - quantum : i, std::min(last + quantum, size)});
        done[i % quantum] = last;
    }
    if (!open) return;
    for (std::size_t phase = 0; phase < quantum; ++phase) {
        const auto whole = size - std::min(size, phase);
        auto first = whole;
        while (first >= quantum && is_text(first - quantum)) first -= quantum;
        if (done[first % quantum] >= whole && whole > 0) continue;
        if (whole - first >= 2 * quantum) continue;
        first -= first >= quantum ? quantum : 0;
        use(Sequence{first, size});
    }
}

/// The sequences of pairs of hex digits, at any phase, that are text.
template <typename Use>
void each_text_in_hex(std::string_view characters, bool open, Use use) {
    const auto size = characters.size();
    const auto is_text = [&](std::size_t i) {
        const auto high = hex.of(characters[i]);
        const auto low = hex.of(characters[i + 1]);
        return high < 8 && low != none && text_bytes.has(static_cast<unsigned>(high) << 4U | low);
    };
    for (std::size_t phase = 0; phase < 2; ++phase) {
        for (auto i = phase; i + 1 < size; i += 2) {
            if (!is_text(i)) continue;
            const auto first = i;
            while (i + 3 < size && is_text(i + 2)) i += 2;
            const bool reaches_end = i + 3 >= size;
            const auto least = 2 * (open && reaches_end ? shortest_open_text : shortest_text);
            if (i + 2 - first >= least) use(Sequence{first, i + 2});
        }
    }
}

}  // namespace

/// A chain that may go on in the next line.
void RunsView::append_open_chain(const Source& source, DerivedText& out) {
    append_chain(source, true, out);
}

void RunsView::append_chain(const Source& source, bool open, DerivedText& out) {
    const std::string_view characters =
        chain_.size() == 1 ? source.text.substr(chain_[0].begin, chain_[0].end - chain_[0].begin) : characters_;
    if (characters.size() <= shortest_open_text) return;  // as few bytes in any encoding are more characters
    cursor_ = 0;
    const auto at = [this](std::size_t index) { return in_source(index); };
    each_text_in_base64(characters, open, [&](const Sequence& some) {
        decode({characters, some.first, some.last, base64, 6}, at, open && some.last == characters.size(),
               PieceWriter(source, out, Piece::Kind::decoded, Form::base64));
    });
    each_text_in_hex(characters, open, [&](const Sequence& some) {
        decode({characters, some.first, some.last, hex, 4}, at, open && some.last + 1 >= characters.size(),
               PieceWriter(source, out, Piece::Kind::decoded, Form::hex));
    });
    const auto base32_streak = longest_base32(characters);
    if (base32_streak >= shortest_wrapped - 3 || (open && base32.has(characters.back())))
        each_sequence(characters, base32, shortest_wrapped - 3, open, [&](const Sequence& some) {
            if (some.last - some.first < base32_of_open_text) return;
            for (std::size_t phase = 0; phase < 8; ++phase) {
                const auto first = std::min(some.first + phase, some.last);
                decode({characters, first, some.last, base32, 5}, at, open && some.last == characters.size(),
                       PieceWriter(source, out, Piece::Kind::decoded, Form::base64));
            }
        });
}

namespace {

/// Behind these a wrapped run's line ends.
bool may_close_line(char c) {
    return c == '"' || c == '\'' || c == ',' || c == ' ' || c == '\r' || c == '\\' || c == '|' || c == ';' || c == '+';
}

/// The first character of the line of `position`, if that is near; otherwise NUL.
char begins_line_of(std::string_view text, std::size_t position) {
    constexpr std::size_t near = 256;
    const auto part = text.substr(position - std::min(position, near), std::min(position, near) + 1);
    const auto newline = part.rfind('\n');
    if (newline != std::string_view::npos) return newline + 1 < part.size() ? part[newline + 1] : '\0';
    return part.size() <= near ? part.front() : '\0';
}

struct Line {
    std::size_t begin;
    std::size_t end;  ///< of its text
    bool complete;
};

Line line_at(std::string_view text, std::size_t begin) {
    const auto end = text.find('\n', begin);
    if (end == std::string_view::npos) return {begin, text.size(), false};
    return {begin, end, true};
}

}  // namespace

/// If the text goes on in the next line (or behind one blank) at `behind`, adds that part to the chain and returns its
/// end; otherwise 0.
std::size_t RunsView::join_next(const Source& source, std::size_t behind, DerivedText& out) {
    const auto text = source.text;
    const auto last = chain_.back();
    if (last.end - last.begin < shortest_wrapped || behind == text.size()) return 0;
    auto end = behind;
    constexpr std::size_t most_between = 6;
    while (end < text.size() && end < behind + most_between && may_close_line(text[end])) ++end;
    const auto add = [&](std::size_t begin, std::size_t part_end) {
        if (chain_.size() == 1) {
            characters_.assign(text.substr(last.begin, last.end - last.begin));
            starts_ = {0};
        }
        starts_.push_back(characters_.size());
        characters_.append(text.substr(begin, part_end - begin));
        chain_.push_back({begin, part_end});
        joined_.push_back(begin);
        return part_end;
    };
    const auto run_end = [&](std::size_t begin) {
        while (begin < text.size() && base64.has(text[begin])) ++begin;
        return begin;
    };
    if (end == text.size()) {
        if (source.open) append_open_chain(source, out);
        return 0;
    }
    if (end == behind + 1 && text[behind] == ' ' && base64.has(text[end])) {
        return end < covered_ ? 0 : add(end, run_end(end));
    }
    if (text[end] != '\n') return 0;
    const auto line = line_at(text, end + 1);
    if (!line.complete && source.open) append_open_chain(source, out);  // the next line's end is not known
    auto part_end = line.end;
    while (part_end > line.begin && part_end + most_between > line.end && !base64.has(text[part_end - 1])) --part_end;
    auto begin = part_end;
    while (begin > line.begin && base64.has(text[begin - 1])) --begin;
    const bool has_sign = begin == line.begin && begin < part_end && (text[begin] == '+' || text[begin] == '-');
    const auto sign_before = text[last.begin - std::min<std::size_t>(last.begin, 1)];
    const bool had_sign = has_sign && (begins_line_of(text, last.begin) == text[begin] ||
                                       text[last.begin] == text[begin] || sign_before == text[begin]);
    if (had_sign) ++begin;
    return begin < part_end && begin >= covered_ ? add(begin, part_end) : 0;
}

namespace {

/// `count` bits of one class, and the bits behind them.
template <typename Class>
std::uint64_t bits_at(const std::vector<ByteMasks>& masks, std::size_t position, Class member) {
    const auto block = position / ByteMasks::bytes;
    const auto shift = position % ByteMasks::bytes;
    const auto next =
        block + 1 < masks.size() && shift > 0 ? masks[block + 1].*member << (ByteMasks::bytes - shift) : 0;
    return masks[block].*member >> shift | next;
}

/// Of bits, those from which at least `count` (16 or 12) are set in a row.
std::uint64_t in_a_row(std::uint64_t bits, unsigned count) {
    bits &= bits >> 1U;
    bits &= bits >> 2U;
    bits &= bits >> 4U;
    return bits & bits >> (count - 8);
}

/// Hex of UTF-16: each other pair is 00.
bool may_say_utf16(const std::vector<ByteMasks>& masks, std::size_t begin, std::uint64_t within) {
    const auto zeros = bits_at(masks, begin, &ByteMasks::octal);
    auto units = bits_at(masks, begin, &ByteMasks::high) & (zeros & zeros >> 1U) >> 2U & within;
    units &= units >> 4U;
    return (units & units >> 8U) != 0;
}

/// False if no encoding of text is within [begin, end).
bool may_say_text(const std::vector<ByteMasks>& masks, std::size_t begin, std::size_t end) {
    constexpr std::size_t step = 40;  // of 64 bits, those that lack their followers do not count
    for (; begin < end; begin += step) {
        const auto left = end - begin;
        const auto within = left >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << left) - 1;
        const auto text = bits_at(masks, begin, &ByteMasks::first) & bits_at(masks, begin, &ByteMasks::second) >> 1U &
                          bits_at(masks, begin, &ByteMasks::third) >> 2U & within;
        if ((text & text >> 4U) != 0) return true;
        auto pairs = bits_at(masks, begin, &ByteMasks::high) & bits_at(masks, begin, &ByteMasks::hex) >> 1U & within;
        pairs &= pairs >> 2U;
        pairs &= pairs >> 4U;  // four in a row
        if ((pairs & pairs >> 4U) != 0) return true;
        if (may_say_utf16(masks, begin, within)) return true;
        if (in_a_row(bits_at(masks, begin, &ByteMasks::base32) & within, 13) != 0) return true;
    }
    return false;
}

/// The end of the run that holds `position`; `position` if there is none.
std::size_t run_end_at(const std::vector<ByteMasks>& masks, std::size_t position) {
    for (auto block = position / ByteMasks::bytes; block < masks.size(); ++block) {
        const auto shift = position % ByteMasks::bytes;
        const auto size = static_cast<std::size_t>(std::countr_one(masks[block].run >> shift));
        position += size;
        if (shift + size < ByteMasks::bytes) break;
    }
    return position;
}

/// For the bytes of a block: whether a run of at least shortest_run bytes goes on from there.
std::uint64_t long_runs(const std::vector<ByteMasks>& masks, std::size_t block) {
    const auto next = block + 1 < masks.size() ? masks[block + 1].run : 0;
    auto low = masks[block].run;
    auto high = next;
    const auto narrow = [&](unsigned by) {
        low &= low >> by | high << (ByteMasks::bytes - by);
        high &= high >> by;
    };
    narrow(1);
    narrow(2);
    narrow(4);
    static_assert(shortest_run == 8 + 3);
    narrow(3);
    return low;
}

}  // namespace

void RunsView::append(const Source& source, bool joins, DerivedText& out) {
    const auto text = source.text;
    joined_.clear();
    covered_ = 0;
    const auto look_at = [&](std::size_t begin) {
        const auto end = run_end_at(*source.masks, begin);
        if (end > covered_ || !is_joined(begin, end)) append_run(source, {begin, end}, joins, out);
        return end;
    };
    const auto& masks = *source.masks;
    std::size_t done = 0;
    for (std::size_t block = 0; block < masks.size(); ++block) {
        const auto block_begin = block * ByteMasks::bytes;
        auto begins = long_runs(masks, block);
        while (begins != 0) {
            const auto begin = block_begin + static_cast<std::size_t>(std::countr_zero(begins));
            if (begin >= done) done = look_at(begin);
            const auto next = done - block_begin;
            begins = next < ByteMasks::bytes ? begins & ~std::uint64_t{0} << next : 0;
        }
    }
    if (source.open && done < text.size()) {  // a run that may become a long one
        auto begin = text.size();
        while (begin > done && base64.has(text[begin - 1])) --begin;
        if (begin < text.size()) look_at(begin);
    }
    wipe(characters_.data(), characters_.size());
    characters_.clear();
}

bool RunsView::is_joined(std::size_t begin, std::size_t end) const {
    const auto part = std::lower_bound(joined_.begin(), joined_.end(), begin);
    return part != joined_.end() && *part < end;
}

/// The run, and what continues it.
void RunsView::append_run(const Source& source, Part run, bool joins, DerivedText& out) {
    const auto text = source.text;
    chain_.assign(1, run);
    starts_.assign(1, 0);
    auto end = run.end;
    while (joins && (end == text.size() || text[end] != '=')) {
        const auto next = join_next(source, end, out);
        if (next == 0) break;
        end = next;
    }
    covered_ = std::max(covered_, end);
    const bool open = source.open && end == text.size();
    const auto may_say = [&source](const Part& part) { return may_say_text(*source.masks, part.begin, part.end); };
    if (open || std::any_of(chain_.begin(), chain_.end(), may_say)) append_chain(source, open, out);
}

}  // namespace trebuchet
