#include "common/mask/mask_stream.hpp"

#include <algorithm>
#include <iterator>

// How a stream is masked although a literal may be split between writes:
//
//  1. Search the new bytes. The Finder finds whole literals; two GapSearches find literals that are interrupted by line
//     ends or terminal sequences; the ViewSearch finds encoded ones.
//  2. Merge overlapping matches into runs. A run gets one mask: that of its leftmost match, or of the longest of them.
//  3. Find the first open position: from there on, the rest of the text is a proper prefix of a literal. A literal that
//     is not complete yet can only begin there or later.
//  4. Emit everything before the open position. A run that begins before it gets its mask now, even if it ends later or
//     may still grow: done_ says how many of the held bytes the mask already covers.
//  5. Hold the bytes from the open position on. With the next bytes, continue at 1; old bytes are not searched again.
//
// Example: literals "secret" (mask **111111**) and "cretaceous" (mask **222222**).
//
//     write     held text   match    open at           emitted      held afterwards
//     "a sec"   "a sec"     none     2, "sec"          "a "         "sec"
//     "ret"     "secret"    0 to 6   2, "cret"         **111111**   "cret", all 4 bytes done
//     "aX"      "cretaX"    none     6, nothing open   "aX"         nothing
//
// New bytes are searched and emitted where they are. Only around held bytes they are copied: see bridge().
namespace trebuchet {
namespace {

/// Bytes to search and copy in one step: few enough to stay in the second-level cache.
constexpr std::size_t slice_size = 128 * std::size_t{1024};

/// How many bytes bridge() first copies behind the held ones; often no more are needed.
constexpr std::size_t first_piece = 128;

}  // namespace

void MaskStream::write(std::string_view bytes, std::string& out) {
    take(bytes, false, out);
}

void MaskStream::write_last(std::string_view bytes, std::string& out) {
    take(bytes, true, out);
}

void MaskStream::release(std::string& out) {
    if (done_ > 0 && !shown_) return;  // the held bytes belong to a run that already has its mask
    const auto text = std::string_view(held_).substr(held_begin_);
    if (view_search_) {
        matches_.clear();
        view_search_->find(text, false, true, matches_);
        for (const auto& match : matches_) add_to_runs(match);
    }
    auto until = runs_.empty() ? text.size() : runs_.front().begin;
    until = indented_gap_search_.showable_until(text, gap_search_.showable_until(text, until));
    for (std::size_t position = 0; position < until; ++position) {
        const auto rest = text.substr(position);
        const auto count = finder_->showable(rest, 0);
        if (count < rest.size()) until = std::min(until, position + count);
    }
    if (view_search_) until = std::min(until, view_search_->showable_until());
    if (until <= done_) return;
    out.append(text, done_, until - done_);
    done_ = until;
    shown_ = true;
}

void MaskStream::take_over(const MaskStream& earlier, std::string& out) {
    done_ = earlier.done_;
    shown_ = earlier.shown_;
    if (view_search_ && earlier.view_search_) view_search_->take_over(*earlier.view_search_);
    write(std::string_view(earlier.held_).substr(earlier.held_begin_), out);
}

void MaskStream::finish(std::string& out) {
    take({}, true, out);
}

void MaskStream::take(std::string_view bytes, bool last, std::string& out) {
    if (out.empty()) out.reserve(bytes.size() + std::min(held(), bytes.size()));
    std::size_t scanned = 0;
    auto text = held() == 0 ? bytes : bridge(bytes, last, out, scanned);
    while (scanned < text.size()) {
        const auto slice = text.substr(0, scanned + slice_size);
        const auto done = advance(slice, scanned, last && slice.size() == text.size(), out);
        scanned = slice.size() - done;
        text.remove_prefix(done);
    }
    held_.append(text);
    if (!last) return;
    open_ = {};
    gap_search_.clear();
    indented_gap_search_.clear();
    if (view_search_) view_search_->clear();
}

/// Copies pieces of `bytes` behind the held bytes, until everything that must be held is within `bytes` or `bytes` are
/// used up. Returns the rest of `bytes` to process; its first `scanned` bytes are already searched.
std::string_view MaskStream::bridge(std::string_view bytes, bool last, std::string& out, std::size_t& scanned) {
    std::size_t taken = 0;
    auto piece = std::max(first_piece, held());
    while (true) {
        piece = std::min(piece, bytes.size() - taken);
        const auto before = held();
        held_.append(bytes.substr(taken, piece));
        taken += piece;
        held_begin_ += advance(std::string_view(held_).substr(held_begin_), before, last && taken == bytes.size(), out);
        const auto left = held();
        if (left <= taken) {
            held_.clear();
            held_begin_ = 0;
            scanned = left;
            return bytes.substr(taken - left);
        }
        if (held_begin_ > left) {
            held_.erase(0, held_begin_);
            held_begin_ = 0;
        }
        if (taken == bytes.size()) return {};
        piece *= 2;
    }
}

/// Searches `text`, whose first `scanned` bytes are already searched, and emits what is certain. Returns how many bytes
/// of `text` are finished; runs_ and done_ are then relative to the rest.
std::size_t MaskStream::advance(std::string_view text, std::size_t scanned, bool last, std::string& out) {
    find(text, scanned, last);
    for (const auto& match : matches_) add_to_runs(match);
    const auto until = last ? text.size() : first_open(text, scanned);
    emit(text, until, out);
    gap_search_.drop(text, until);
    indented_gap_search_.drop(text, until);
    if (view_search_) view_search_->drop(text, until);
    return until;
}

std::size_t MaskStream::first_open(std::string_view text, std::size_t scanned) {
    const auto without_gaps = finder_->first_open(text, scanned, open_);
    const auto with_gaps = std::min(gap_search_.first_open(text), indented_gap_search_.first_open(text));
    const auto decoded = view_search_ ? view_search_->first_open() : text.size();
    const auto beyond = std::min(with_gaps, decoded);
    if (beyond < without_gaps) open_ = {};
    return std::min(without_gaps, beyond);
}

void MaskStream::find(std::string_view text, std::size_t scanned, bool last) {
    finder_->find(text, scanned, matches_);
    const auto without_gaps = matches_.size();
    gap_search_.find(text, last, {}, matches_);
    indented_gap_search_.find(text, last, gap_search_.line_ends(), matches_);
    if (view_search_) view_search_->find(text, last, false, matches_);
    if (matches_.size() == without_gaps) return;
    std::stable_sort(matches_.begin(), matches_.end(),
                     [](const Match& left, const Match& right) { return left.end < right.end; });
}

/// Most matches come in the order of their ends. A match with gaps may come late, after what looked like a terminal
/// sequence turns out not to be one.
void MaskStream::add_to_runs(const Match& match) {
    Run run{match.begin, match.end, match.end, match.literal};
    auto last = runs_.end();
    while (last != runs_.begin() && std::prev(last)->begin >= run.end) --last;
    auto first = last;
    while (first != runs_.begin() && std::prev(first)->end > run.begin) {
        --first;
        run.end = std::max(run.end, first->end);
        if (first->begin < run.begin || (first->begin == run.begin && first->first_end >= run.first_end)) {
            run = {first->begin, run.end, first->first_end, first->literal};
        }
    }
    if (first == last) {
        runs_.insert(last, run);
    } else {
        *first = run;
        runs_.erase(std::next(first), last);
    }
}

void MaskStream::emit_mask(const Literal& literal, std::string& out) {
    const auto& value = literals_->value_of(literal);
    out.append(value.mask);
    if (counts_ != nullptr) counts_->add(value.name, literal.form);
}

/// Emits everything that begins before `until`. No later literal can begin there, so the masks of these runs are
/// certain, even if a run may still grow at its end.
void MaskStream::emit(std::string_view text, std::size_t until, std::string& out) {
    auto position = done_;
    auto run = runs_.begin();
    for (; run != runs_.end() && run->begin < until; ++run) {
        if (run->end <= position) continue;
        if (run->begin >= position) out.append(text, position, run->begin - position);
        if (run->begin >= position || shown_) emit_mask(*run->literal, out);
        position = run->end;
        shown_ = false;
    }
    if (position < until) {
        out.append(text, position, until - position);
        position = until;
        shown_ = false;
    }
    done_ = position - until;
    runs_.erase(runs_.begin(), run);
    for (auto& later : runs_) {
        later.begin -= until;
        later.end -= until;
        later.first_end -= until;
    }
}

}  // namespace trebuchet
