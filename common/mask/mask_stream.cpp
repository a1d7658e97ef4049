#include "common/mask/mask_stream.hpp"

#include <algorithm>
#include <iterator>

namespace trebuchet {
namespace {

/// What is scanned and copied in one go: small enough to be still in the second-level cache for the copying.
constexpr std::size_t slice_size = 128 * std::size_t{1024};

/// What is copied behind the held bytes at first, in the hope that nothing of them need be held after that.
constexpr std::size_t first_piece = 128;

}  // namespace

void MaskStream::write(std::string_view bytes, std::string& out) {
    take(bytes, false, out);
}

void MaskStream::write_last(std::string_view bytes, std::string& out) {
    take(bytes, true, out);
}

void MaskStream::release(std::string& out) {
    if (done_ > 0 && !shown_) return;  // what is under way overlaps a value, and has its mask
    const auto text = std::string_view(held_).substr(held_begin_);
    auto until = runs_.empty() ? text.size() : runs_.front().begin;
    until = indented_shadow_.showable_until(text, shadow_.showable_until(text, until));
    for (std::size_t position = 0; position < until; ++position) {
        const auto rest = text.substr(position);
        const auto count = finder_->showable(rest, 0);
        if (count < rest.size()) until = std::min(until, position + count);
    }
    if (until <= done_) return;
    out.append(text, done_, until - done_);
    done_ = until;
    shown_ = true;
}

void MaskStream::take_over(const MaskStream& earlier, std::string& out) {
    done_ = earlier.done_;
    shown_ = earlier.shown_;
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
    shadow_.clear();
    indented_shadow_.clear();
}

/// Copies pieces of `bytes` behind what is held until what is to be held lies within `bytes`, or `bytes` are used up.
/// Returns the end of `bytes` that is to be treated further, of which the first `scanned` bytes have been searched.
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

/// Searches `text`, whose first `scanned` bytes have been searched, and emits what is certain. Returns how many bytes
/// of it are done with; runs_ and done_ then count from there.
std::size_t MaskStream::advance(std::string_view text, std::size_t scanned, bool last, std::string& out) {
    find(text, scanned, last);
    for (const auto& match : matches_) add_to_runs(match);
    const auto until = last ? text.size() : first_open(text, scanned);
    emit(text, until, out);
    shadow_.drop(text, until);
    indented_shadow_.drop(text, until);
    return until;
}

std::size_t MaskStream::first_open(std::string_view text, std::size_t scanned) {
    const auto without_gaps = finder_->first_open(text, scanned, open_);
    const auto with_gaps = std::min(shadow_.first_open(text), indented_shadow_.first_open(text));
    if (with_gaps < without_gaps) open_ = {};
    return std::min(without_gaps, with_gaps);
}

void MaskStream::find(std::string_view text, std::size_t scanned, bool last) {
    finder_->find(text, scanned, matches_);
    const auto without_gaps = matches_.size();
    shadow_.find(text, last, {}, matches_);
    indented_shadow_.find(text, last, shadow_.line_ends(), matches_);
    if (matches_.size() == without_gaps) return;
    std::stable_sort(matches_.begin(), matches_.end(),
                     [](const Match& left, const Match& right) { return left.end < right.end; });
}

/// Most matches come in the order of their ends. One with gaps in it may come late: what looked like the beginning of a
/// terminal's sequence was none.
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

/// Emits all that begins before `until`. Nothing that is still to come can begin there, so the mask of a run that does
/// is certain, even if the run may grow at its end.
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
