#include "common/repository_file/pattern_syntax.hpp"

#include "common/repository_file/name_pattern.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cstddef>

// Walks over the pattern once, from left to right:
//
//   1. An atom (a character, an escape, a class, a group) may be followed by one quantifier, and that by one `?`.
//   2. Whatever Python and RE2 read in the same way is skipped; the first other thing is the problem.
//
// Example: `rpi\d` → atom r, p, i, then the escape \d: "found \d at character 4, …".

namespace trebuchet {
namespace {

constexpr unsigned most_repeats = 1000;
constexpr int deepest_group = 20;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool is_alphanumeric(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 && static_cast<unsigned char>(c) < 0x80;
}

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7F;
}

class PatternWalk {
  public:
    explicit PatternWalk(std::string_view text) : text_(text) {}

    std::string problem() {
        if (text_.empty()) return "found an empty name, expected a name or a pattern";
        if (text_.size() > longest_pattern_text) {
            return "found a pattern of " + std::to_string(text_.size()) + " bytes, expected at most " +
                   std::to_string(longest_pattern_text);
        }
        skip_flags();
        while (problem_.empty() && !at_end()) step();
        if (problem_.empty() && depth_ > 0) complain("a group without its end", "a ) for each (");
        return problem_;
    }

  private:
    enum class Before { nothing, atom, anchor, quantifier, lazy };

    [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
    [[nodiscard]] char peek(std::size_t ahead = 0) const {
        return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
    }
    [[nodiscard]] bool next_is(std::string_view what) const { return text_.substr(at_).starts_with(what); }

    void complain(const std::string& found, const std::string& expected) {
        if (!problem_.empty()) return;
        problem_ =
            "found " + found + " at character " + std::to_string(at_ + 1) + " of the pattern, expected " + expected;
    }

    /// `(?i)` in front is the same in both, as long as only letters of ASCII are involved.
    void skip_flags() {
        if (!next_is("(?i)")) return;
        const bool is_ascii =
            std::all_of(text_.begin(), text_.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
        if (!is_ascii) complain("(?i) with other letters than those of ASCII", "a pattern without (?i)");
        at_ += 4;
    }

    void step() {
        const char c = peek();
        if (is_control(c)) return complain("a control character", "an escape such as \\t");
        switch (c) {
            case '\\':
                step_escape();
                return atom();
            case '[':
                step_class();
                return atom();
            case '(':
                return open_group();
            case ')':
                return close_group();
            case '|':
                ++at_;
                before_ = Before::nothing;
                return;
            case '^':
                ++at_;
                before_ = Before::anchor;
                return;
            case '$':
                return step_end();
            case '*':
            case '+':
            case '?':
            case '{':
                return step_quantifier();
            default:
                ++at_;
                return atom();
        }
    }

    void atom() { before_ = Before::atom; }

    void step_escape() {
        const char c = peek(1);
        const std::string found{'\\', c};
        if (c == '\0') return complain("a \\ at the end", "a character after it, or \\\\");
        if (std::string_view("nrtfva").find(c) != std::string_view::npos) {
            at_ += 2;
            return;
        }
        if (c == 'x') return step_hexadecimal();
        if (c == 'd' || c == 'D') return complain(found, "[0-9]: Python's digits are others beyond ASCII");
        if (c == 'w' || c == 'W') return complain(found, "[A-Za-z0-9_]: Python's letters are others beyond ASCII");
        if (c == 's' || c == 'S') return complain(found, "a space or [ \\t]: Python's spaces are others");
        if (c == 'b' || c == 'B') return complain(found, "the characters themselves: the whole name has to match");
        if (is_digit(c)) return complain(found, "the text itself: back references are not supported");
        if (is_alphanumeric(c)) return complain(found, "a character that both Python and RE2 escape in the same way");
        if (c == '_' || is_control(c) || static_cast<unsigned char>(c) >= 0x80) {
            return complain("a \\ before a character that needs none", "the character without it");
        }
        at_ += 2;
    }

    void step_hexadecimal() {
        const auto digit = [](char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; };
        if (!digit(peek(2)) || !digit(peek(3))) return complain("\\x", "\\x and two hexadecimal digits");
        at_ += 4;
    }

    void step_class() {
        const auto start = at_++;
        if (peek() == '^') ++at_;
        const auto first = at_;
        bool was_range = false;
        while (!at_end() && problem_.empty() && (peek() != ']' || at_ == first)) step_class_item(first, was_range);
        if (!problem_.empty()) return;
        if (at_end()) {
            at_ = start;
            return complain("a [ without its end", "a ] after it, or \\[");
        }
        ++at_;
    }

    void step_class_item(std::size_t first, bool& was_range) {
        const char c = peek();
        if (c == '[') return complain("a [ within a class", "\\[");
        if (is_control(c)) return complain("a control character", "an escape such as \\t");
        for (const auto* doubled : {"--", "&&", "||", "~~"}) {
            if (next_is(doubled))
                return complain(doubled, "one of them, or an escape: Python may read it in another way");
        }
        const bool is_range = c == '-' && at_ != first && peek(1) != ']';
        if (is_range && was_range) return complain("a - after a range", "\\-");
        if (c == '\\') {
            step_escape();
        } else {
            ++at_;
        }
        if (is_range) step_range_end();
        was_range = is_range;
    }

    void step_range_end() {
        if (at_end()) return;
        const char c = peek();
        if (c == '[') return complain("a [ within a class", "\\[");
        if (c == '\\') return step_escape();
        ++at_;
    }

    void open_group() {
        if (next_is("(?:")) {
            at_ += 3;
        } else if (peek(1) == '?') {
            return complain("(?" + std::string(1, printable(peek(2))), "( or (?:, the other groups are not supported");
        } else {
            ++at_;
        }
        if (++depth_ > deepest_group) return complain("too many nested groups", std::to_string(deepest_group));
        before_ = Before::nothing;
    }

    static char printable(char c) { return is_control(c) || static_cast<unsigned char>(c) >= 0x80 ? '.' : c; }

    void close_group() {
        if (depth_ == 0) return complain("a ) without its start", "\\)");
        --depth_;
        ++at_;
        atom();
    }

    /// Before a last newline, Python's `$` matches, too: it means the same only where nothing can follow.
    void step_end() {
        const bool is_last = depth_ == 0 && (at_ + 1 == text_.size() || peek(1) == '|');
        if (!is_last) return complain("a $ within the pattern", "\\$, or a $ at its end");
        ++at_;
        before_ = Before::anchor;
    }

    void step_quantifier() {
        const char c = peek();
        if (before_ == Before::quantifier && c == '?') {
            ++at_;
            before_ = Before::lazy;
            return;
        }
        if (before_ == Before::quantifier || before_ == Before::lazy) {
            return complain(std::string(1, c) + " after a repetition", "one repetition, or a group around the first");
        }
        if (before_ != Before::atom)
            return complain(std::string(1, c) + " with nothing to repeat", "\\" + std::string(1, c));
        if (c == '{') {
            step_counted();
        } else {
            ++at_;
        }
        before_ = Before::quantifier;
    }

    void step_counted() {
        const auto end = text_.find('}', at_);
        const auto counts = end == std::string_view::npos ? std::string_view() : text_.substr(at_ + 1, end - at_ - 1);
        const auto comma = counts.find(',');
        const auto least = count_of(counts.substr(0, comma));
        const bool is_open = comma != std::string_view::npos && comma + 1 == counts.size();
        const auto most = comma == std::string_view::npos || is_open ? least : count_of(counts.substr(comma + 1));
        if (least < 0 || most < least) {
            return complain("{", "\\{, or a repetition such as {2}, {2,} or {0,2}");
        }
        if (static_cast<unsigned>(most) > most_repeats) {
            return complain("more than " + std::to_string(most_repeats) + " repetitions", "fewer");
        }
        at_ = end + 1;
    }

    /// Without leading zeros, which RE2 does not take; −1: not a number.
    static long count_of(std::string_view digits) {
        if (digits.empty() || digits.size() > 6 || !std::all_of(digits.begin(), digits.end(), is_digit)) return -1;
        if (digits.size() > 1 && digits.front() == '0') return -1;
        long count = 0;
        std::from_chars(digits.data(), digits.data() + digits.size(), count);
        return count;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    int depth_ = 0;
    Before before_ = Before::nothing;
    std::string problem_;
};

}  // namespace

std::string pattern_problem(std::string_view text) {
    return PatternWalk(text).problem();
}

}  // namespace trebuchet
