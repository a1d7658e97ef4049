#include "common/mask/shadow.hpp"

#include <algorithm>

namespace trebuchet {
bool Shadow::is_gap_byte(char c) const {
    return is_line_end(c) || (c == '\x1B' && kind_ == GapKind::bare);
}

void Shadow::find(std::string_view text, bool last, const std::vector<std::size_t>& line_ends,
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

/// The next place where a gap may begin; the text's size if there is none. Between two of them no chain begins or ends.
std::size_t Shadow::next_gap(std::string_view text, GapScanner& scanner, const std::vector<std::size_t>& line_ends,
                             std::size_t& next) const {
    if (is_pending_) return read_;
    if (kind_ == GapKind::bare || !chain_.empty()) return scanner.next(read_);
    while (next < line_ends.size() && line_ends[next] < read_) ++next;
    return next < line_ends.size() ? line_ends[next] : text.size();
}

void Shadow::note_line_end(std::string_view text, const Gap& gap) {
    const auto end = gap.state == Gap::State::unfinished ? text.size() : gap.end;
    for (auto position = gap.begin; position < end; ++position) {
        const auto begin = position;
        while (position < end && is_line_end(text[position])) ++position;
        if (position > begin && (position == text.size() || is_blank(text[position]))) line_ends_.push_back(begin);
    }
}

/// Where the piece begins, as far as it matters, that ends at `end`.
std::size_t Shadow::piece_begin(std::string_view text, std::size_t end) const {
    const auto begin = std::max(piece_begin_, end - std::min(end, literals_.longest() - 1));
    if (kind_ == GapKind::bare) return begin;
    const auto line_end = text.substr(begin, end - begin).find_last_of("\r\n");
    return line_end == std::string_view::npos ? begin : begin + line_end + 1;
}

void Shadow::skip_rest_of_gap(std::string_view text) {
    while (read_ < text.size() && (is_blank(text[read_]) || is_line_end(text[read_]))) ++read_;
    piece_begin_ = read_;
    in_gap_ = read_ == text.size();
}

/// If there is only a LF at read_, which may have blanks behind it, and no literal goes on over that: where the next
/// line begins. Most often that is so. Else 0.
std::size_t Shadow::behind_plain_line_end(std::string_view text) const {
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

/// Takes the text up to `end` into the chain, if there is one. What is so far behind the last gap that no literal
/// reaches it from there ends the chain.
void Shadow::extend(std::string_view text, std::size_t end, std::vector<Match>& matches) {
    if (chain_.empty() || end == read_) return;
    const auto far = piece_begin_ + literals_.longest() - 1;
    chain_.append(text.substr(read_, std::min(end, std::max(far, read_)) - read_));
    if (end > far) end_chain(matches);
}

/// The earliest position in the piece that ends at `end` from which on it is the beginning of a literal; `end` if there
/// is none.
std::size_t Shadow::open_before(std::string_view text, std::size_t end) {
    const auto begin = piece_begin(text, end);
    return begin + finder_.first_open(text.substr(begin, end - begin), least);
}

/// Whether a literal may go on over the gap; then there is a chain.
bool Shadow::join(std::string_view text, const Gap& gap) {
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

void Shadow::search(std::vector<Match>& matches) {
    if (searched_ == chain_.size()) return;
    finder_.find(chain_, searched_, found_);
    searched_ = chain_.size();
    for (const auto& match : found_) {
        if (match.end - match.begin < least || &piece_at(match.begin) == &piece_at(match.end - 1)) continue;
        matches.push_back({in_text(match.begin), in_text(match.end - 1) + 1, match.literal});
    }
}

void Shadow::end_chain(std::vector<Match>& matches) {
    if (chain_.empty()) return;
    search(matches);
    chain_.clear();
    pieces_.clear();
    searched_ = 0;
    known_ = 0;
    open_ = {};
}

const Shadow::Piece& Shadow::piece_at(std::size_t chain_position) const {
    const auto next =
        std::upper_bound(pieces_.begin(), pieces_.end(), chain_position,
                         [](std::size_t position, const Piece& piece) { return position < piece.chain_begin; });
    return *std::prev(next);
}

std::size_t Shadow::in_text(std::size_t chain_position) const {
    const auto& piece = piece_at(chain_position);
    return piece.text_begin + (chain_position - piece.chain_begin);
}

std::size_t Shadow::first_open(std::string_view text) {
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

std::size_t Shadow::showable_until(std::string_view text, std::size_t until) const {
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

void Shadow::drop(std::string_view text, std::size_t count) {
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

void Shadow::clear() {
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
