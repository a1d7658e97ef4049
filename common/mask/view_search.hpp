#pragma once

#include "common/mask/finder.hpp"
#include "common/mask/views/text_views.hpp"
#include "common/secret/secret_string.hpp"

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

namespace trebuchet {

/// Finds literals in what a text says if it is decoded, in one stream at a time. All positions are relative to the
/// start of the given text. Algorithm: see view_search.cpp.
class ViewSearch {
  public:
    /// Shorter literals are not searched for, in bytes: they would be found by accident.
    static constexpr std::size_t least = 6;

    /// `skeletons`: those of the values. Both must outlive this object.
    ViewSearch(const Literals& literals, const Literals& skeletons);

    /// Appends the matches in `text`, also those of the last call that are still in it. Searches only if much of the
    /// text is new, if `last` or if `now`; until then first_open() does not move.
    void find(std::string_view text, bool last, bool now, std::vector<Match>& matches);

    /// Everything from here on may belong to a value that is not complete yet, or was not searched.
    [[nodiscard]] std::size_t first_open() const { return first_open_; }

    /// How far the last text may be shown although a value may have begun; see Finder::showable. Known after a search
    /// with `now`.
    [[nodiscard]] std::size_t showable_until() const { return showable_until_; }

    /// Removes the first `count` bytes of the last text.
    void drop(std::string_view text, std::size_t count);

    /// Starts a new stream.
    void clear();

    /// Continues the stream of `earlier`.
    void take_over(const ViewSearch& earlier) { context_.assign(earlier.context_); }

  private:
    void search(const DerivedText& level, std::vector<Match>& matches);
    void add(const DerivedText& level, const Match& found, std::vector<Match>& matches);
    void make_window(std::string_view text);
    void hold_open_pieces(const DerivedText& level, bool now);
    void hold(const DerivedText& level, const Piece& piece, Finder& finder, bool now);
    [[nodiscard]] std::size_t in_text(std::size_t position) const;

    Finder finder_;
    std::unique_ptr<Finder> skeleton_finder_;
    /// Bounds what is held, in bytes.
    std::size_t most_held_;
    TextViews views_;
    /// What stood before the text: an encoded value may have begun there with less than a byte.
    WipedString context_;
    WipedString window_;
    std::vector<Match> found_;
    /// Where the window begins: window_before_ bytes before the text, or window_begin_ bytes behind its start.
    std::size_t window_before_ = 0;
    std::size_t window_begin_ = 0;
    /// The text is searched up to here.
    std::size_t searched_ = 0;
    /// The next search begins here.
    std::size_t from_ = 0;
    std::size_t first_open_ = 0;
    std::size_t showable_until_ = 0;
};

}  // namespace trebuchet
