#include "common/mask/view_search.hpp"

#include "common/mask/views/skeleton.hpp"

#include <algorithm>

// How values are found in encodings of encodings, without a form for each:
//
//  1. TextViews derives from the text what it says if decoded, and from that what that says, with the place of each
//  byte.
//  2. Each level is searched for literals. A match is reported where its bytes stand in the raw text.
//  3. A derived piece that reaches the text's end may go on. If its end is the beginning of a literal (three bytes and
//     more, so that an accident does not hold a prompt), the text is held from there on. With the next bytes,
//     everything from there on is decoded again: nothing else is remembered but the context_, a few bytes before the
//     text.
//  4. So that a long held text is not decoded again for each byte, that waits until a quarter of it is new.
//
// Example: value "s3cret-value", writes "x dG9rZW49czNj" and "cmV0LXZhbHVl y". The first one says "token=s3c", of which
// "s3c" may begin the value: "czNj" is held. The second one says the value.
namespace trebuchet {
namespace {

/// Enough for two bytes in three encodings and the beginning of a dump's line.
constexpr std::size_t context_size = 128;

/// An encoded value is at most this many times as long as the value; more is filling, such as blanks without an end.
constexpr std::size_t longest_encoding = 64;
constexpr std::size_t held_anyway = 65536;

/// Less text is searched with each write.
constexpr std::size_t always_searched = 64;

}  // namespace

ViewSearch::ViewSearch(const Literals& literals, const Literals& skeletons)
    : finder_(literals),
      skeleton_finder_(std::make_unique<Finder>(skeletons)),
      most_held_(longest_encoding * std::max(literals.longest(), skeletons.longest()) + held_anyway),
      views_([&joins = skeletons.joins()](char left, char right) { return joins.may_hold_pair(left, right); }) {}

void ViewSearch::find(std::string_view text, bool last, bool now, std::vector<Match>& matches) {
    const auto fresh = text.substr(std::min(searched_, text.size()));
    // A value that is held as it is may go on with an escape, or behind the next line's prefix.
    const auto begins_view = [](char c) { return c == '\n' || may_begin_escape(c); };
    if (from_ > 0 && std::any_of(fresh.begin(), fresh.end(), begins_view)) from_ = 0;
    if (!last && !now && 4 * fresh.size() + always_searched < text.size() - from_) {
        first_open_ = from_;
        return;
    }
    make_window(text);
    searched_ = text.size();
    first_open_ = text.size();
    showable_until_ = text.size();
    views_.derive(window_, !last);
    for (const auto& level : views_.levels()) {
        if (level.empty()) continue;
        search(level, matches);
        if (!last) hold_open_pieces(level, now);
    }
    views_.clear();
    if (text.size() - first_open_ > most_held_) first_open_ = text.size();
    from_ = first_open_;
}

void ViewSearch::make_window(std::string_view text) {
    window_begin_ = from_ - std::min(from_, context_size);
    window_before_ = std::min(context_size - (from_ - window_begin_), context_.size());
    window_.assign(context_, context_.size() - window_before_, window_before_);
    window_.append(text.substr(window_begin_));
}

/// The position in the text of one in the window; 0 for one before the text.
std::size_t ViewSearch::in_text(std::size_t position) const {
    return position < window_before_ ? 0 : window_begin_ + (position - window_before_);
}

void ViewSearch::search(const DerivedText& level, std::vector<Match>& matches) {
    if (level.bytes().size() <= least) return;  // with a separator
    finder_.find(level.bytes(), 0, found_);
    for (const auto& match : found_) add(level, match, matches);
    skeleton_finder_->find(level.bytes(), 0, found_);
    for (const auto& match : found_) add(level, match, matches);
}

void ViewSearch::add(const DerivedText& level, const Match& found, std::vector<Match>& matches) {
    if (found.end - found.begin < least) return;
    const auto& pieces = level.pieces();
    const auto piece = std::upper_bound(pieces.begin(), pieces.end(), found.begin,
                                        [](std::size_t position, const Piece& one) { return position < one.end; });
    if (piece == pieces.end() || found.begin < piece->begin || found.end > piece->end) return;
    std::size_t begin = SIZE_MAX;
    std::size_t end = 0;
    std::size_t touch = SIZE_MAX;
    for (auto i = found.begin; i < found.end; ++i) {
        const auto& place = level.place(i);
        begin = std::min<std::size_t>(begin, place.begin);
        end = std::max<std::size_t>(end, place.end);
        touch = std::min<std::size_t>(touch, place.touch);
    }
    if (end == Place::unknown) {
        first_open_ = std::min(first_open_, in_text(touch));
        showable_until_ = std::min(showable_until_, in_text(touch));
    } else if (end > window_before_ && begin < end) {
        matches.push_back({in_text(begin), in_text(end), found.literal});
    }
}

void ViewSearch::hold_open_pieces(const DerivedText& level, bool now) {
    for (const auto& piece : level.pieces()) {
        if (!piece.open) continue;
        hold(level, piece, finder_, now);
        hold(level, piece, *skeleton_finder_, now);
    }
}

void ViewSearch::hold(const DerivedText& level, const Piece& piece, Finder& finder, bool now) {
    const auto text = level.text_of(piece);
    const auto open = finder.first_open(text, least);
    if (open + piece.most_shown >= text.size()) return;
    const auto begin = in_text(level.place(piece.begin + open).touch);
    first_open_ = std::min(first_open_, begin);
    if (!now) return;
    const auto count = finder.showable(text.substr(open), least);
    if (open + count >= text.size()) return;
    showable_until_ = std::min(showable_until_, in_text(level.place(piece.begin + open + count).touch));
}

void ViewSearch::drop(std::string_view text, std::size_t count) {
    searched_ -= std::min(searched_, count);
    first_open_ -= std::min(first_open_, count);
    from_ -= std::min(from_, count);
    if (count >= context_size) {
        context_.assign(text.substr(count - context_size, context_size));
        return;
    }
    context_.append(text.substr(0, count));
    if (context_.size() > context_size) context_.erase(0, context_.size() - context_size);
}

void ViewSearch::clear() {
    context_.clear();
    wipe(window_.data(), window_.size());
    window_.clear();
    searched_ = 0;
    from_ = 0;
    first_open_ = 0;
}

}  // namespace trebuchet
