#pragma once

#include "common/mask/views/derived_text.hpp"
#include "common/mask/views/numbers_view.hpp"
#include "common/mask/views/runs_view.hpp"

#include <cstddef>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

namespace trebuchet {

/// What a text holds: everything that it says in any known encoding, and what that says in turn. Knows no values.
///
/// Example: the raw text "data: eyJrIjogImFcdTAwNDJjIn0K" holds the decoded piece {"k": "a\u0042c"}, that one the
/// unescaped piece {"k": "aBc"}, and that one the skeleton {k:aBc}.
class TextViews {
  public:
    /// Whether two characters may be next to each other in the skeleton of what is searched for.
    using MayBeNeighbours = std::function<bool(char left, char right)>;

    /// `neighbours`: saves the work for most escapes. Null: nothing is known.
    explicit TextViews(MayBeNeighbours neighbours = nullptr) : neighbours_(std::move(neighbours)) {}

    /// Derives from the raw text, until nothing more is found. `open`: the text goes on.
    void derive(std::string_view text, bool open);

    /// Level 0 is derived from the raw text, each other level from the one before it.
    [[nodiscard]] const std::vector<DerivedText>& levels() const { return levels_; }

    /// Wipes what was derived.
    void clear();

  private:
    void derive_from(Source source, DerivedText& out);
    void derive_raw(Source source, DerivedText& out);
    [[nodiscard]] bool is_worth_unescaping(const Source& source, std::size_t place) const;
    void append_unescaped_lines(const Source& source, DerivedText& out);

    MayBeNeighbours neighbours_;
    std::vector<ByteMasks> masks_;
    RunsView runs_;
    NumbersView numbers_;
    std::vector<DerivedText> levels_;
};

}  // namespace trebuchet
