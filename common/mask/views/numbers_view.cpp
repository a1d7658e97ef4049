#include "common/mask/views/numbers_view.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <optional>

// How lists of numbers are read:
//
//  1. Split each line into tokens of digits. Tokens of one width with the same separator between them are a list; the
//     longest of a line counts. What stands before it (offset, time, device) does not matter.
//  2. Lists of the same width in consecutive lines continue one another.
//  3. Read the list in each way that its digits allow: hex, octal, decimal; words of two, four and eight bytes also
//  with
//     their bytes in reverse. What is text is kept, as a piece.
//  4. If an offset stands before the list, the line is one of a dump, which shows the bytes again as text. A mask goes
//  up
//     to the line's end then; in a line that is not complete yet the end is unknown.
//
// Example: "00000000: 7468 6973 2069  this i⏎": the separator behind "00000000" has a colon, so it is not in the list.
// The list of width 4 says "this i"; a mask covers 7468 6973 2069 and the text behind it.
namespace trebuchet {
namespace {

/// Fewer numbers in a line are an accident, except where a list goes on.
constexpr std::size_t least_numbers = 6;
constexpr std::size_t least_open = 3;

/// The text column of a longer line is not waited for.
constexpr std::size_t longest_dump_line = 1024;
constexpr std::size_t shortest_text = 6;

int digit_of(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char lower = static_cast<char>(c | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool is_word(char c) {
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_';
}

bool is_separator(char c) {
    return c == ' ' || c == '\t' || c == ',' || c == ':' || c == ';' || c == '-' || c == '.' || c == '|' || c == '\\';
}

bool is_text(unsigned byte) {
    return (byte >= 0x20 && byte < 0x7F) || byte == 0 || byte == '\t' || byte == '\n' || byte == '\r' || byte == 0x1B;
}

struct Token {
    std::size_t begin;  ///< with 0x
    std::size_t digits;
    std::size_t end;
    unsigned largest;  ///< digit

    [[nodiscard]] std::size_t width() const { return end - digits; }
};

struct List {
    std::vector<Token> tokens;
    std::size_t line_end = 0;
    bool has_offset = false;
    bool complete = true;  ///< the line's end is known
};

/// The number at `position`; nullopt if it is none. `position` moves behind the word.
std::optional<Token> number_at(std::string_view text, std::size_t& position, std::size_t end) {
    Token token{position, position, position, 0};
    const bool has_prefix = position + 2 < end && text[position] == '0' && (text[position + 1] | 0x20) == 'x';
    if (has_prefix) token.digits = position += 2;
    bool is_number = true;
    for (; position < end && is_word(text[position]); ++position) {
        const auto digit = digit_of(text[position]);
        is_number = is_number && digit >= 0;
        if (is_number) token.largest = std::max(token.largest, static_cast<unsigned>(digit));
    }
    token.end = position;
    constexpr std::size_t widest = 16;
    if (!is_number || token.width() == 0 || token.width() > widest) return std::nullopt;
    return token;
}

/// Decimal numbers differ in width.
bool may_follow(const Token& before, const Token& token) {
    if (token.width() == before.width()) return true;
    return token.width() <= 3 && before.width() <= 3 && token.largest < 10 && before.largest < 10;
}

/// The last number of a dump may be shorter.
bool may_end(const List& list, const Token& token) {
    return (list.has_offset || list.tokens.size() > 1) && token.width() % 2 == 0 &&
           token.width() < list.tokens.back().width();
}

/// Separators as they are compared: hexdump -C has two blanks in the middle, od and lists of decimals align with
/// blanks.
std::string_view core_of_separator(std::string_view separator) {
    const auto first = separator.find_first_not_of(' ');
    if (first == std::string_view::npos) return " ";
    return separator.substr(first, separator.find_last_not_of(' ') - first + 1);
}

/// The longest list in [begin, end). `open`: a number at the end may have more digits.
List list_in(std::string_view text, std::size_t begin, std::size_t end, bool open) {
    List longest;
    List list;
    std::string_view separator;
    bool is_offset = false;
    const auto finish = [&] {
        const bool is_better =
            list.has_offset != longest.has_offset ? list.has_offset : list.tokens.size() >= longest.tokens.size();
        if (is_better && !list.tokens.empty()) std::swap(longest, list);
        list.tokens.clear();
    };
    for (auto i = begin; i < end;) {
        const auto between = i;
        while (i < end && !is_word(text[i])) ++i;
        if (i == end) break;
        const auto separating = text.substr(between, i - between);
        const auto token = number_at(text, i, end);
        if (open && i == end) break;
        if (!token) {
            finish();
            is_offset = false;
            continue;
        }
        const bool all_separators = std::all_of(separating.begin(), separating.end(), is_separator);
        const auto core = core_of_separator(separating);
        bool goes_on =
            !list.tokens.empty() && all_separators && (may_follow(list.tokens.back(), *token) || may_end(list, *token));
        if (goes_on && list.tokens.size() == 1) {
            separator = core;
        } else if (goes_on) {
            const bool is_text_column = separating == "  " && token->width() == list.tokens.back().width() &&
                                        list.tokens.size() != 8 && separator == " " && list.has_offset;
            goes_on = core == separator && !is_text_column;
        }
        if (!goes_on && list.tokens.size() == 2 && !list.has_offset && all_separators &&
            may_follow(list.tokens.back(), *token)) {
            list.tokens.erase(list.tokens.begin());  // the first one was something else
            list.has_offset = false;
            separator = core;
        } else if (!goes_on) {
            const auto before = list.tokens.empty() ? 0 : list.tokens.back().width();
            const bool behind_offset = separating.find_first_of(" :\t") != std::string_view::npos && all_separators;
            is_offset = list.tokens.size() == 1 && before >= 4 && before != token->width() && behind_offset;
            finish();
            list.has_offset = is_offset;
        }
        constexpr std::size_t usual = 17;  // a line of a dump, with its offset
        if (list.tokens.capacity() == 0) list.tokens.reserve(usual);
        list.tokens.push_back(*token);
    }
    finish();
    longest.line_end = end;
    return longest;
}

/// The bytes of a list, with where each stands.
struct NumberByte {
    unsigned value;
    std::size_t begin;
    std::size_t end;
    bool is_open;
};

/// How to read the tokens of a list.
struct Reading {
    unsigned base;
    std::size_t width;  ///< 0: any
    std::size_t bytes;  ///< per number
    bool reversed;
};

constexpr std::array<Reading, 10> readings{{{16, 2, 1, false},
                                            {16, 4, 2, false},
                                            {16, 4, 2, true},
                                            {16, 8, 4, false},
                                            {16, 8, 4, true},
                                            {16, 16, 8, false},
                                            {16, 16, 8, true},
                                            {8, 3, 1, false},
                                            {8, 6, 2, true},
                                            {10, 0, 1, false}}};

bool fits(const Reading& reading, const Token& token) {
    if (token.largest >= reading.base) return false;
    if (reading.width == 0) return token.width() <= 3;
    if (token.width() == reading.width) return true;
    return reading.base == 16 && reading.bytes > 1 && token.width() < reading.width && token.width() % 2 == 0;
}

class Reader {
  public:
    Reader(const Source& source, DerivedText& out, const Reading& reading, bool open)
        : source_(source), writer_(source, out, Piece::Kind::decoded, Form::hex), reading_(reading), open_(open) {}

    void read(const List& list) {
        const bool with_column = list.has_offset;
        const auto first = writer_.size();
        for (const auto& token : list.tokens) {
            if (!fits(reading_, token)) {
                finish_piece();
                continue;
            }
            read(token, with_column ? list.line_end : token.end);
        }
        if (with_column && !list.complete) writer_.leave_end_open(std::min(first, writer_.size()));
    }
    void finish(bool is_dump) { writer_.finish(open_, open_ ? 1 : shortest_text, is_dump ? 1 : Piece::usually_shown); }

  private:
    void finish_piece() {
        if (writer_.size() > 0) writer_.finish(false, shortest_text);
    }
    void read(const Token& token, std::size_t end) {
        std::uint64_t value = 0;
        for (auto i = token.digits; i < token.end; ++i) {
            value = value * reading_.base + static_cast<std::uint64_t>(digit_of(source_.text[i]));
        }
        const auto count = reading_.base == 16 ? std::max<std::size_t>(token.width() / 2, 1) : reading_.bytes;
        if (value >> (8 * count - 1) >> 1U != 0) return finish_piece();
        for (std::size_t i = 0; i < count; ++i) {
            const auto place = reading_.reversed ? i : count - 1 - i;
            const auto byte = static_cast<unsigned>(value >> (8 * place) & 0xFFU);
            if (!is_text(byte)) {
                finish_piece();
            } else {
                writer_.add(static_cast<char>(byte), token.begin, end);
            }
        }
    }

    const Source& source_;
    PieceWriter writer_;
    const Reading& reading_;
    bool open_;
};

/// od -c and hexdump -c: cells of four characters behind an offset.
List cells_in(std::string_view text, std::size_t begin, std::size_t end) {
    List list;
    list.line_end = end;
    auto i = begin;
    for (std::size_t digits = 0; i < end && (digits < 7 || text[i] != ' '); ++i) {
        digits = digit_of(text[i]) >= 0 ? digits + 1 : 0;
    }
    for (; i + 4 <= end && text[i] == ' '; i += 4) list.tokens.push_back({i, i + 1, i + 4, 0});
    return list;
}

/// -1: not a cell.
int byte_of_cell(std::string_view cell) {
    if (cell[0] == ' ' && cell[1] == ' ') return static_cast<unsigned char>(cell[2]);
    if (cell[0] == ' ' && cell[1] == '\\') {
        constexpr std::string_view names = "0abtnvfr";
        constexpr std::string_view values("\0\a\b\t\n\v\f\r", 8);
        const auto name = names.find(cell[2]);
        return name == std::string_view::npos ? -1 : values[name];
    }
    int value = 0;
    for (const char c : cell) {
        if (c < '0' || c > '7') return -1;
        value = value * 8 + (c - '0');
    }
    return value;
}

}  // namespace

namespace {

/// Lists in consecutive lines, of the same shape.
class Chain {
  public:
    explicit Chain(const Source& source, DerivedText& out) : source_(source), out_(out) {}

    void add(List list, bool is_last_line) {
        const bool continues = !lists_.empty() && !list.tokens.empty() &&
                               (may_follow(lists_.back().tokens.front(), list.tokens.front()) ||
                                (list.has_offset && may_end(lists_.back(), list.tokens.front())));
        const auto least_without_offset = is_last_line && source_.open ? least_open : least_numbers;
        const auto least = continues || list.has_offset ? std::size_t{1} : least_without_offset;
        if (is_last_line && source_.open && !continues) finish(true);  // its first numbers may not be there yet
        if (!continues) finish(false);
        if (list.tokens.size() >= least) lists_.push_back(std::move(list));
    }
    void finish(bool open) {
        if (lists_.empty()) return;
        for (const auto& reading : readings) {
            const auto& first = lists_.front().tokens.front();
            const bool has_width = reading.width == 0 || first.width() == reading.width;
            if (!has_width || !fits(reading, first)) continue;
            Reader reader(source_, out_, reading, open);
            for (const auto& list : lists_) reader.read(list);
            reader.finish(lists_.back().has_offset);
        }
        if (!open) lists_.clear();
    }

  private:
    const Source& source_;
    DerivedText& out_;
    std::vector<List> lists_;
};

/// Lines of cells, one after another.
class CellChain {
  public:
    CellChain(const Source& source, DerivedText& out)
        : source_(source), writer_(source, out, Piece::Kind::decoded, Form::hex) {}

    void add(const List& list) {
        if (list.tokens.empty()) return finish(false);
        for (const auto& token : list.tokens) {
            const auto byte = byte_of_cell(source_.text.substr(token.digits, 3));
            if (byte < 0 || !is_text(static_cast<unsigned>(byte))) {
                finish(false);
            } else {
                writer_.add(static_cast<char>(byte), token.digits, token.end);
            }
        }
    }
    void finish(bool open) { writer_.finish(open, open ? 1 : shortest_text, 1); }

  private:
    const Source& source_;
    PieceWriter writer_;
};

}  // namespace

namespace {

using Line = NumbersView::Line;

/// The begins of numbers in a block and the one behind it.
struct Begins {
    std::uint64_t low;
    std::uint64_t high;

    /// Whether there are `count` in a row, each `period` characters behind the one before.
    [[nodiscard]] bool has(unsigned period, unsigned count) const {
        auto rest = *this;
        auto all = low;
        while (--count > 0 && all != 0) {
            rest = {rest.low >> period | rest.high << (64 - period), rest.high >> period};
            all &= rest.low;
        }
        return all != 0;
    }
};

/// Where a word seen from there is no number: no hex digit follows within three characters. It may be 0x.
std::uint64_t begins_of_words(const ByteMasks& masks) {
    const auto word = masks.word >> 1U;
    const auto other = word & ~(masks.hex >> 1U);
    return ~masks.octal & (other | (word & other >> 1U) | (word & word >> 1U & other >> 2U));
}

/// Where numbers begin.
std::uint64_t begins_of(const std::vector<ByteMasks>& masks, std::size_t block) {
    if (block == masks.size()) return 0;
    const auto before = block > 0 ? masks[block - 1].word >> 63U : 0;
    const auto begins = masks[block].hex & ~(masks[block].word << 1U | before);
    return begins & ~begins_of_words(masks[block]);
}

/// Keeps those of one block: they are asked for block by block, each time with the next one.
class BeginsOfBlocks {
  public:
    explicit BeginsOfBlocks(const std::vector<ByteMasks>& masks) : masks_(masks) {}
    [[nodiscard]] std::uint64_t of(std::size_t block) {
        if (block != block_) begins_ = begins_of(masks_, block);
        block_ = block;
        return begins_;
    }

  private:
    const std::vector<ByteMasks>& masks_;
    std::size_t block_ = SIZE_MAX;
    std::uint64_t begins_ = 0;
};

/// Those of `begins` that stand behind a blank or a comma.
std::uint64_t in_list(const std::vector<ByteMasks>& masks, std::size_t block, std::uint64_t begins) {
    if (begins == 0) return 0;
    const auto before = block > 0 ? masks[block - 1].between >> 63U : 1;
    return begins & (masks[block].between << 1U | before);
}

/// Numbers of one width stand at regular distances, and the first digit of text is 2 to 7, or 0 and 1 in octal. Times
/// and dates rarely are so.
bool may_hold_numbers(const std::vector<ByteMasks>& masks, std::size_t block, BeginsOfBlocks& begins) {
    const auto low = begins.of(block);
    const auto high = begins.of(block + 1);
    if (low == 0 || ((low & (low - 1)) | high) == 0) return false;  // fewer than two
    const auto& here = masks[block];
    const auto& next = masks[std::min(block + 1, masks.size() - 1)];
    const Begins bytes{low & here.high, high & next.high};
    if (bytes.has(3, 4) || bytes.has(6, 4)) return true;
    const Begins numbers{in_list(masks, block, low), in_list(masks, block + 1, high)};
    const Begins text{numbers.low & here.high, numbers.high & next.high};
    const Begins octal{numbers.low & here.octal, numbers.high & next.octal};
    constexpr int many = 8;  // decimal numbers stand at any distance
    return std::popcount(numbers.low) >= many || text.has(5, 3) || text.has(9, 2) || text.has(17, 2) ||
           octal.has(4, 4) || octal.has(6, 4) || octal.has(7, 3);
}

bool may_hold_cells(const ByteMasks& masks) {
    const auto alone = masks.solid & ~(masks.solid << 1U) & ~(masks.solid >> 1U);
    if ((alone & (alone - 1)) == 0) return false;
    constexpr int many_cells = 8;
    return std::popcount(alone) >= many_cells;
}

/// How many of the words that begin at `begins` may be numbers: only of hex digits as far as the block goes, or 0x.
int count_numbers(const ByteMasks& masks, std::uint64_t begins) {
    if ((begins & (begins - 1)) == 0) return begins == 0 ? 0 : 1;
    const auto carried = masks.hex + begins;  // ripples through each word's hex digits, to what stands behind them
    const auto behind = carried & ~masks.hex & ~masks.word;
    const auto prefixes = begins & masks.octal & (masks.word & ~masks.hex) >> 1U;
    return std::popcount(behind) + std::popcount(prefixes) + (carried < begins ? 1 : 0);
}

/// The bits of a line that begins at `line`, in the block with this number.
std::uint64_t bits_of_line(std::size_t line, std::size_t block) {
    const auto begin = block * ByteMasks::bytes;
    return line > begin ? ~std::uint64_t{0} << (line - begin) : ~std::uint64_t{0};
}

/// Whether as many hex digits as an offset has are in the rest of a line, and something that may stand behind it.
bool may_hold_offset(const std::vector<ByteMasks>& masks, std::size_t line, std::size_t block) {
    const auto& next = masks[std::min(block + 1, masks.size() - 1)];
    if ((masks[block].between | next.between) == 0) return false;
    const bool is_last = block + 1 == masks.size();
    constexpr unsigned digits = 7;
    return Begins{masks[block].hex & bits_of_line(line, block), is_last ? 0 : next.hex}.has(1, digits);
}

/// For the last line of a text that goes on: true behind an offset.
bool may_begin_cells(const std::vector<ByteMasks>& masks, std::size_t line) {
    for (auto block = line / ByteMasks::bytes; block < masks.size(); ++block) {
        if (may_hold_offset(masks, line, block)) return true;
    }
    return false;
}

/// The same for lists: also true for a few numbers.
bool may_begin_list(const std::vector<ByteMasks>& masks, std::size_t line) {
    constexpr int few = 3;
    int count = 0;
    for (auto block = line / ByteMasks::bytes; block < masks.size(); ++block) {
        if (may_hold_offset(masks, line, block)) return true;
        const auto in_line = bits_of_line(line, block);
        const auto low = begins_of(masks, block) & in_line;
        if (low == 0) continue;
        const auto first = line >= block * ByteMasks::bytes ? in_line & (~in_line + 1) : 0;
        count += count_numbers(masks[block], in_list(masks, block, low) | (low & first));
        if (count >= few) return true;
        const auto high = begins_of(masks, block + 1);  // such as 73:65:63, or with 00 between
        const auto& next = masks[std::min(block + 1, masks.size() - 1)];
        const Begins text{low & masks[block].high, high & next.high};
        if (text.has(3, few) || Begins{low, high}.has(3, few + 1)) return true;
    }
    return false;
}

/// The lines that may be of interest, and the one behind each, in order. `of_interest(block)`; `may_begin(line)`: that
/// line, the last one of a text that goes on.
template <typename OfInterest, typename MayBegin>
void find_lines(const Source& source, std::vector<Line>& lines, OfInterest of_interest, MayBegin may_begin) {
    const auto text = source.text;
    lines.clear();
    std::size_t done = 0;
    const auto add_until = [&](std::size_t position) {
        while (done < position && done < text.size()) {
            const auto end = std::min(text.find('\n', done), text.size());
            lines.push_back({done, end});
            done = end + 1;
        }
    };
    const auto size = ByteMasks::bytes;
    for (std::size_t block = 0; block < source.masks->size(); ++block) {
        const auto begin = block * size;
        const bool has_next = begin + size <= done && !lines.empty() && lines.back().begin >= begin + size;
        if (has_next || !of_interest(block)) continue;
        if (begin >= done) done = begin == 0 ? 0 : std::max(done, text.rfind('\n', begin - 1) + 1);
        add_until(std::min(begin + size, text.size()));
        if (lines.back().begin < begin + size) add_until(done + 1);
    }
    if (!source.open || text.empty() || text.back() == '\n') return;
    const auto newline = text.rfind('\n');
    const auto last_line = newline == std::string_view::npos ? 0 : newline + 1;
    if (!lines.empty() && lines.back().begin >= last_line) return;
    const bool behind_another = !lines.empty() && lines.back().end + 1 == last_line;
    if (!behind_another && !may_begin(last_line)) return;
    done = last_line;
    add_until(text.size());
}

}  // namespace

void NumbersView::append(const Source& source, DerivedText& out) {
    const auto text = source.text;
    const auto& masks = *source.masks;
    BeginsOfBlocks begins(masks);
    find_lines(
        source, lines_, [&](std::size_t block) { return may_hold_numbers(masks, block, begins); },
        [&](std::size_t line) { return may_begin_list(masks, line); });
    Chain chain(source, out);
    std::size_t before = 0;
    for (const auto& line : lines_) {
        if (line.begin != before) chain.finish(false);
        before = line.end + 1;
        const bool complete = line.end < text.size() || !source.open || line.end - line.begin > longest_dump_line;
        auto list = list_in(text, line.begin, line.end, !complete);
        list.complete = complete;
        chain.add(std::move(list), line.end == text.size());
    }
    if (source.open && before >= text.size()) chain.finish(true);
    chain.finish(false);

    find_lines(
        source, lines_, [&](std::size_t block) { return may_hold_cells(masks[block]); },
        [&](std::size_t line) { return may_begin_cells(masks, line); });
    CellChain cells(source, out);
    before = 0;
    for (const auto& line : lines_) {
        if (line.begin != before) cells.finish(false);
        before = line.end + 1;
        const auto list = cells_in(text, line.begin, line.end);
        const bool may_become_one = source.open && line.end == text.size();
        if (!list.tokens.empty() || !may_become_one) cells.add(list);
    }
    cells.finish(source.open && before >= text.size());
}

}  // namespace trebuchet
