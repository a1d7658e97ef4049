#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>

namespace trebuchet {

/// Bytes that show nothing where they stand within a value: line ends and terminals' escape sequences. A gap is a run
/// of them, at most longest_gap bytes; two parts of a text that more than that lies between have nothing to do with
/// each other.
constexpr std::size_t longest_gap = 64;

struct Gap {
    std::size_t begin;
    std::size_t end;  ///< if equal to `begin`: an ESC that begins no sequence, or not yet
    enum class State : unsigned char {
        complete,
        may_grow,    ///< reaches the end of the text
        unfinished,  ///< a sequence begins at `end` and the text ends within it
    } state;

    [[nodiscard]] std::size_t size() const { return end - begin; }
};

/// `begin`: where a CR, LF or ESC is.
[[nodiscard]] Gap gap_at(std::string_view text, std::size_t begin);

/// `begin`: within a text where a gap is that ends at `until` or behind. Returns the first place from `until` on that
/// doesn't lie within a sequence.
[[nodiscard]] std::size_t whole_parts_until(std::string_view text, std::size_t begin, std::size_t until);

/// Finds each CR, LF and ESC of a text in turn.
class GapScanner {
  public:
    explicit GapScanner(std::string_view text) : text_(text) {}
    /// The first at `position` or behind; the text's size if there is none. `position` never decreases.
    [[nodiscard]] std::size_t next(std::size_t position) {
        if (line_feed_ < position || !started_) line_feed_ = find('\n', position);
        if (carriage_return_ < position || !started_) carriage_return_ = find('\r', position);
        if (escape_ < position || !started_) escape_ = find('\x1B', position);
        started_ = true;
        return std::min(line_feed_, std::min(carriage_return_, escape_));
    }

  private:
    [[nodiscard]] std::size_t find(char c, std::size_t position) const {
        return std::min(text_.find(c, position), text_.size());
    }

    std::string_view text_;
    std::size_t line_feed_ = 0;
    std::size_t carriage_return_ = 0;
    std::size_t escape_ = 0;
    bool started_ = false;
};

}  // namespace trebuchet
