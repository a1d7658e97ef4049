#include "common/mask/gap_search.hpp"

#include <algorithm>
#include <cstring>

// Finds "hunter22" in "hun\nter22". The text without gaps is called the chain. It is only built where needed:
//
//  1. Find the next line end or escape sequence, and the end of that gap. Across more than 64 bytes nothing is joined.
//  2. Ask the JoinFilter whether a literal may contain the bytes on both sides of the gap. If not, forget the chain and
//     continue behind the gap. Nearly all gaps end here.
//  3. If there is no chain yet: start one with the end of the text before the gap that may be the beginning of a
//     literal. If there is none, continue behind the gap.
//  4. Append the text behind the gap to the chain, up to the next gap (go to 2) or as far as a literal can reach.
//  5. Search the chain. Report a match that lies in two or more pieces, with its positions in the text.
//  6. At the end of the text, an incomplete gap and an open position of the chain remain open. The MaskStream holds the
//     text from there on, and the next find() continues.
//
// Example: literal "hunter22", text "pw=hun\nter22 ok". The gap is at 6 to 7; "un" and "te" are adjacent in the
// literal. "hun", at 3, is the beginning of a literal: the chain is "hun", then "hunter22 o" (7 bytes behind the gap,
// one less than the longest literal). Its pieces are 0 → 3 and 3 → 7. The match at 0 to 8 of the chain is reported as 3
// to 12.
//
// drop() removes finished text from the front, and with it pieces of the chain. A chain of one piece has no gap and is
// forgotten.
namespace trebuchet {

bool GapSearch::is_gap_byte(char c) const {
    return is_line_end(c) || (c == '\x1B' && kind_ == GapKind::bare);
}

void GapSearch::find(std::string_view text, bool last, const std::vector<std::size_t>& line_ends,
                     std::vector<Match>& matches) {
    known_ = searched_;
    line_ends_.clear();
    if (in_gap_) skip_rest_of_gap(text);
    GapScanner scanner(text, kind_);
    std::size_t next = 0;
    while (read_ < text.size()) {
        const auto begin = next_gap(text, scanner, line_ends, next);
        is_pending_ = false;
        extend(text, begin, matches);
        read_ = begin;
        if (begin == text.size()) break;
        if (const auto line = chain_.empty() ? behind_plain_line_end(text) : 0; line > 0) {
            if (kind_ == GapKind::bare && is_blank(text[line])) line_ends_.push_back(begin);
            read_ = line;
            piece_begin_ = line;
            continue;
        }
        const auto gap = gap_at(text, begin, kind_);
        if (kind_ == GapKind::bare) note_line_end(text, gap);
        const bool ends_chain = gap.size() > longest_gap || gap.size() == 0;
        is_pending_ = gap.state != Gap::State::complete && !last && gap.size() <= longest_gap;
        if (is_pending_) break;
        if (ends_chain || gap.end == text.size() || is_gap_byte(text[gap.end]) || !join(text, gap)) {
            end_chain(matches);
        } else {
            pieces_.push_back({chain_.size(), gap.end});
        }
        read_ = gap.size() == 0 ? gap.end + 1 : gap.end;
        piece_begin_ = read_;
    }
    search(matches);
}

/// The next position where a gap may begin; the text's size if there is none. A chain begins and ends only at these.
std::size_t GapSearch::next_gap(std::string_view text, GapScanner& scanner, const std::vector<std::size_t>& line_ends,
                                std::size_t& next) const {
    if (is_pending_) return read_;
    if (kind_ == GapKind::bare || !chain_.empty()) return scanner.next(read_);
    while (next < line_ends.size() && line_ends[next] < read_) ++next;
    return next < line_ends.size() ? line_ends[next] : text.size();
}

void GapSearch::note_line_end(std::string_view text, const Gap& gap) {
    const auto end = gap.state == Gap::State::unfinished ? text.size() : gap.end;
    for (auto position = gap.begin; position < end; ++position) {
        const auto begin = position;
        while (position < end && is_line_end(text[position])) ++position;
        if (position > begin && (position == text.size() || is_blank(text[position]))) line_ends_.push_back(begin);
    }
}

/// The beginning of the piece that ends at `end`, limited to the length of the longest literal.
std::size_t GapSearch::piece_begin(std::string_view text, std::size_t end) const {
    const auto begin = std::max(piece_begin_, end - std::min(end, literals_.longest() - 1));
    if (kind_ == GapKind::bare) return begin;
    const auto behind_last = [&](char line_end) {
        const auto* const place = ::memrchr(text.data() + begin, line_end, end - begin);
        return place == nullptr ? begin : static_cast<std::size_t>(static_cast<const char*>(place) - text.data()) + 1;
    };
    return std::max(behind_last('\n'), behind_last('\r'));
}

void GapSearch::skip_rest_of_gap(std::string_view text) {
    while (read_ < text.size() && (is_blank(text[read_]) || is_line_end(text[read_]))) ++read_;
    piece_begin_ = read_;
    in_gap_ = read_ == text.size();
}

/// Shortcut for the most frequent case: if the gap at read_ is one LF, for GapKind::indented with blanks, and no
/// literal continues across it, returns the start of the next line. Otherwise 0.
std::size_t GapSearch::behind_plain_line_end(std::string_view text) const {
    if (text[read_] != '\n') return 0;
    auto line = read_ + 1;
    if (kind_ == GapKind::indented) {
        const auto most = std::min(text.size(), read_ + longest_gap);
        while (line < most && is_blank(text[line])) ++line;
    }
    if (text.size() - line < 2 || is_gap_byte(text[line]) || is_gap_byte(text[line + 1])) return 0;
    const bool is_no_gap = kind_ == GapKind::indented && line == read_ + 1;
    if (is_no_gap || read_ == piece_begin_) return line;
    const auto left = text.substr(piece_begin_, read_ - piece_begin_);
    return literals_.joins().may_join(left, text[line], text[line + 1]) ? 0 : line;
}

/// Appends the text up to `end` to the chain, if there is one. Ends the chain where no literal can reach across the
/// last gap any more.
void GapSearch::extend(std::string_view text, std::size_t end, std::vector<Match>& matches) {
    if (chain_.empty() || end == read_) return;
    const auto far = piece_begin_ + literals_.longest() - 1;
    chain_.append(text.substr(read_, std::min(end, std::max(far, read_)) - read_));
    if (end > far) end_chain(matches);
}

/// The first position in the piece before `end` from which the piece is the beginning of a literal; `end` if there is
/// none.
std::size_t GapSearch::open_before(std::string_view text, std::size_t end) {
    const auto begin = piece_begin(text, end);
    return begin + finder_.first_open(text.substr(begin, end - begin), least);
}

/// True if a literal may continue across the gap; then there is a chain.
bool GapSearch::join(std::string_view text, const Gap& gap) {
    const bool has_chain = !chain_.empty();
    const auto begin = has_chain ? 0 : piece_begin(text, gap.begin);
    const auto left = has_chain ? std::string_view(chain_) : text.substr(begin, gap.begin - begin);
    if (left.empty()) return false;
    const auto further = gap.end + 1;
    const bool knows_further = further < text.size() && !is_gap_byte(text[further]);
    if (knows_further && !literals_.joins().may_join(left, text[gap.end], text[further])) return false;
    if (has_chain) return true;
    const auto open = open_before(text, gap.begin);
    if (open == gap.begin) return false;
    chain_.append(text.substr(open, gap.begin - open));
    pieces_.push_back({0, open});
    searched_ = chain_.size();
    return true;
}

void GapSearch::search(std::vector<Match>& matches) {
    if (searched_ == chain_.size()) return;
    finder_.find(chain_, searched_, found_);
    searched_ = chain_.size();
    for (const auto& match : found_) {
        if (match.end - match.begin < least || &piece_at(match.begin) == &piece_at(match.end - 1)) continue;
        matches.push_back({in_text(match.begin), in_text(match.end - 1) + 1, match.literal});
    }
}

void GapSearch::end_chain(std::vector<Match>& matches) {
    if (chain_.empty()) return;
    search(matches);
    chain_.clear();
    pieces_.clear();
    searched_ = 0;
    known_ = 0;
    open_ = {};
}

const GapSearch::Piece& GapSearch::piece_at(std::size_t chain_position) const {
    const auto next =
        std::upper_bound(pieces_.begin(), pieces_.end(), chain_position,
                         [](std::size_t position, const Piece& piece) { return position < piece.chain_begin; });
    return *std::prev(next);
}

std::size_t GapSearch::in_text(std::size_t chain_position) const {
    const auto& piece = piece_at(chain_position);
    return piece.text_begin + (chain_position - piece.chain_begin);
}

std::size_t GapSearch::first_open(std::string_view text) {
    auto first = text.size();
    if (read_ < text.size()) {
        const auto gap = gap_at(text, read_, kind_);
        if (gap.state == Gap::State::unfinished) first = gap.end;
        if (chain_.empty()) {
            const auto open = open_before(text, read_);
            return open < read_ ? open : first;
        }
    }
    if (chain_.empty()) return first;
    open_at_ = finder_.first_open(chain_, known_, open_, least);
    return open_at_ < chain_.size() ? std::min(first, in_text(open_at_)) : first;
}

std::size_t GapSearch::showable_until(std::string_view text, std::size_t until) const {
    if (read_ < text.size()) {
        const auto gap = gap_at(text, read_, kind_);
        if (gap.state == Gap::State::unfinished) until = std::min(until, gap.end);
        for (auto position = piece_begin(text, read_); chain_.empty() && position < std::min(until, read_);
             ++position) {
            const auto rest = text.substr(position, read_ - position);
            const auto count = finder_.showable(rest, least);
            if (count < rest.size()) until = std::min(until, position + count);
        }
    }
    for (std::size_t i = 0; i < chain_.size() && in_text(i) < until; ++i) {
        const auto rest = std::string_view(chain_).substr(i);
        const auto count = finder_.showable(rest, least);
        if (count < rest.size()) until = std::min(until, in_text(i + count));
    }
    return until;
}

void GapSearch::drop(std::string_view text, std::size_t count) {
    if (count > read_) {
        in_gap_ = kind_ == GapKind::indented;
        is_pending_ = false;
        read_ = in_gap_ ? count : whole_parts_until(text, read_, count);
        piece_begin_ = read_;
    }
    piece_begin_ = std::max(piece_begin_, count) - count;
    read_ -= count;
    if (chain_.empty()) return;
    std::size_t gone = 0;
    while (gone < pieces_.size() && pieces_[gone].text_begin < count) ++gone;
    auto chain_gone = gone < pieces_.size() ? pieces_[gone].chain_begin : chain_.size();
    if (gone > 0) {
        const auto& piece = pieces_[gone - 1];
        const auto within = piece.chain_begin + (count - piece.text_begin);
        if (within < chain_gone) {
            chain_gone = within;
            --gone;
            pieces_[gone] = {chain_gone, count};
        }
    }
    pieces_.erase(pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(gone));
    if (pieces_.size() < 2) {
        chain_.clear();
        pieces_.clear();
        searched_ = 0;
        known_ = 0;
        open_ = {};
        return;
    }
    if (chain_gone != open_at_) open_ = {};
    open_at_ = 0;
    chain_.erase(0, chain_gone);
    searched_ -= std::min(searched_, chain_gone);
    known_ -= std::min(known_, chain_gone);
    for (auto& piece : pieces_) {
        piece.chain_begin -= chain_gone;
        piece.text_begin -= count;
    }
}

void GapSearch::clear() {
    in_gap_ = false;
    is_pending_ = false;
    read_ = 0;
    piece_begin_ = 0;
    chain_.clear();
    pieces_.clear();
    searched_ = 0;
    known_ = 0;
    open_ = {};
}

}  // namespace trebuchet
