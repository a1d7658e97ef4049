#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace trebuchet {

/// Bytes that show nothing where they stand within a value. A gap is a run of them, at most longest_gap bytes; two
/// parts of a text that more than that lies between have nothing to do with each other.
constexpr std::size_t longest_gap = 64;

/// Two sorts, since the blanks at the beginning of a line may belong to the value.
enum class GapKind : unsigned char {
    bare,      ///< line ends and terminals' escape sequences
    indented,  ///< line ends with blanks behind them
};

[[nodiscard]] inline bool is_line_end(char c) {
    return c == '\n' || c == '\r';
}
[[nodiscard]] inline bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

struct Gap {
    std::size_t begin;
    std::size_t end;  ///< if equal to `begin`: no gap, or not yet
    enum class State : unsigned char {
        complete,
        may_grow,    ///< reaches the end of the text
        unfinished,  ///< a sequence begins at `end` and the text ends within it
    } state;

    [[nodiscard]] std::size_t size() const { return end - begin; }
};

/// `begin`: where a CR, LF or ESC is, or with GapKind::indented a CR or LF.
[[nodiscard]] Gap gap_at(std::string_view text, std::size_t begin, GapKind kind);

/// `begin`: within a text where a bare gap is that ends at `until` or behind. Returns the first place from `until` on
/// that doesn't lie within a sequence.
[[nodiscard]] std::size_t whole_parts_until(std::string_view text, std::size_t begin, std::size_t until);

/// Finds each CR and LF of a text in turn, with GapKind::bare each ESC too.
class GapScanner {
  public:
    GapScanner(std::string_view text, GapKind kind) : text_(text), with_escapes_(kind == GapKind::bare) {}
    /// The first at `position` or behind; the text's size if there is none. `position` never decreases.
    [[nodiscard]] std::size_t next(std::size_t position) {
        if (line_feed_ < position || !started_) line_feed_ = find('\n', position);
        if (carriage_return_ < position || !started_) carriage_return_ = find('\r', position);
        if (!with_escapes_) {
            escape_ = text_.size();
        } else if (escape_ < position || !started_) {
            escape_ = find('\x1B', position);
        }
        started_ = true;
        return std::min(line_feed_, std::min(carriage_return_, escape_));
    }

  private:
    [[nodiscard]] std::size_t find(char c, std::size_t position) const {
        return std::min(text_.find(c, position), text_.size());
    }

    std::string_view text_;
    bool with_escapes_;
    std::size_t line_feed_ = 0;
    std::size_t carriage_return_ = 0;
    std::size_t escape_ = 0;
    bool started_ = false;
};

}  // namespace trebuchet
