#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace trebuchet {

/// A gap is a run of invisible bytes within a printed value: line ends, terminal sequences, indentation. This is its
/// maximum length; a value is not recognised across a longer run.
constexpr std::size_t longest_gap = 64;

/// Two kinds, because blanks at the start of a line may belong to the value.
enum class GapKind : unsigned char {
    bare,      ///< line ends and terminal escape sequences
    indented,  ///< line ends followed by blanks
};

[[nodiscard]] inline bool is_line_end(char c) {
    return c == '\n' || c == '\r';
}
[[nodiscard]] inline bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

struct Gap {
    std::size_t begin;
    std::size_t end;  ///< equal to `begin`: no gap, or not known yet
    enum class State : unsigned char {
        complete,
        may_grow,    ///< reaches the end of the text
        unfinished,  ///< the text ends within a sequence that begins at `end`
    } state;

    [[nodiscard]] std::size_t size() const { return end - begin; }
};

/// The gap at `begin`, the position of a CR, LF or ESC (GapKind::indented: CR or LF).
[[nodiscard]] Gap gap_at(std::string_view text, std::size_t begin, GapKind kind);

/// The first position at or after `until` that is not within an escape sequence. `begin`: start of a bare gap that ends
/// at or after `until`.
[[nodiscard]] std::size_t whole_parts_until(std::string_view text, std::size_t begin, std::size_t until);

/// Finds the CRs and LFs of a text one after another; with GapKind::bare also ESCs.
class GapScanner {
  public:
    GapScanner(std::string_view text, GapKind kind) : text_(text), with_escapes_(kind == GapKind::bare) {}
    /// The first one at or after `position`; the text's size if there is none. `position` must not decrease.
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
