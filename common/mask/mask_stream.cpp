#include "common/mask/mask_stream.hpp"

#include <algorithm>

namespace trebuchet {
namespace {

/// What is scanned and copied in one go: small enough to be still in the second-level cache for the copying.
constexpr std::size_t slice_size = 128 * std::size_t{1024};

/// Up to so many new bytes are searched without the matcher, whose calls have a price of their own.
constexpr std::size_t few_bytes = 16;

/// From so many positions on the search for long literals' heads is left to a matcher.
constexpr std::size_t worth_a_scan = 256;

/// What is copied behind the held bytes at first, in the hope that nothing of them need be held after that.
constexpr std::size_t first_piece = 128;

}  // namespace

MaskStream::MaskStream(const LiteralTable& table, const AnchorMatcher& anchors, const AnchorMatcher* heads)
    : table_(table), anchors_(anchors), heads_(heads), scratch_(anchors.make_scratch()) {
    if (heads != nullptr) heads_scratch_ = heads->make_scratch();
}

void MaskStream::write(std::string_view bytes, std::string& out) {
    take(bytes, false, out);
}

void MaskStream::write_last(std::string_view bytes, std::string& out) {
    take(bytes, true, out);
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
/// of it are done with; runs_ and covered_ then count from there.
std::size_t MaskStream::advance(std::string_view text, std::size_t scanned, bool last, std::string& out) {
    find(text, scanned);
    const auto until = last ? text.size() : first_open(text, scanned);
    emit(text, until, out);
    return until;
}

/// Finds what ends behind the first `scanned` bytes of `text`, of all that ends at one place the longest, since that
/// contains the others.
void MaskStream::find(std::string_view text, std::size_t scanned) {
    if (text.size() - scanned > few_bytes) {
        find_with_matcher(text, scanned);
        return;
    }
    for (auto end = scanned + 1; end <= text.size(); ++end) {
        const auto literal = table_.longest_at_end(text.substr(0, end));
        if (literal != LiteralTable::none) add_to_runs({end, literal});
    }
}

void MaskStream::find_with_matcher(std::string_view text, std::size_t scanned) {
    struct Context {
        const LiteralTable& table;
        std::vector<Match>& matches;
        std::string_view text;
        std::size_t scan_start;
        std::size_t scanned;
        bool sorted;
    };
    matches_.clear();
    const auto overlap = std::min(scanned, LiteralTable::anchor_size - 1);
    Context context{table_, matches_, text, scanned - overlap, scanned, true};
    const auto found = [](void* data, std::uint32_t anchor, std::size_t end_in_scan) noexcept {
        auto& here = *static_cast<Context*>(data);
        const auto end = here.scan_start + end_in_scan;
        if (end <= here.scanned) return;
        const auto literal = here.table.longest_at_end(here.text.substr(0, end), anchor);
        if (literal == LiteralTable::none) return;
        if (!here.matches.empty() && here.matches.back().end > end) here.sorted = false;
        here.matches.push_back({end, literal});
    };
    anchors_.scan(text.substr(context.scan_start), scratch_, found, &context);
    if (!context.sorted) {
        std::sort(matches_.begin(), matches_.end(),
                  [](const Match& left, const Match& right) { return left.end < right.end; });
    }
    for (const auto match : matches_) add_to_runs(match);
}

/// Matches come in the order of their ends, so a match overlaps a run if it begins before the run's end.
void MaskStream::add_to_runs(Match match) {
    Run run{match.end - table_.bytes(match.literal).size(), match.end, match.literal};
    while (!runs_.empty() && runs_.back().end > run.begin) {
        const auto& earlier = runs_.back();
        const bool keeps_its_mask =
            earlier.begin < run.begin ||
            (earlier.begin == run.begin && table_.bytes(earlier.literal).size() >= table_.bytes(run.literal).size());
        if (keeps_its_mask) {
            run.begin = earlier.begin;
            run.literal = earlier.literal;
        }
        runs_.pop_back();
    }
    runs_.push_back(run);
}

/// The earliest position where the rest of `text` is a proper prefix of a literal; the text's size if there is none. Of
/// the first `scanned` bytes most of the time the very first still is one, so there the positions are tried in turn.
std::size_t MaskStream::first_open(std::string_view text, std::size_t scanned) {
    const auto begin = text.size() - std::min(text.size(), table_.longest() - 1);
    const auto far_begin = std::max(begin, scanned);
    const auto far_end = text.size() - std::min(text.size(), LiteralTable::long_size);
    if (heads_ == nullptr || far_end < far_begin + worth_a_scan) return table_.first_open(text, begin, text.size());
    const auto before = table_.first_open(text, begin, far_begin);
    if (before < far_begin) return before;
    const auto far = first_long_open(text, far_begin, far_end);
    return far < far_end ? far : table_.first_open(text, far_end, text.size());
}

/// The same for the positions from `begin` to before `end`, where the rest is longer than long_size; `end` if there is
/// none.
std::size_t MaskStream::first_long_open(std::string_view text, std::size_t begin, std::size_t end) {
    struct Context {
        const LiteralTable& table;
        std::string_view text;
        std::size_t scan_start;
        std::size_t first;
    };
    Context context{table_, text, begin, end};
    const auto found = [](void* data, std::uint32_t /*head*/, std::size_t end_in_scan) noexcept {
        auto& here = *static_cast<Context*>(data);
        const auto position = here.scan_start + end_in_scan - LiteralTable::head_size;
        if (position < here.first && here.table.is_open(here.text.substr(position))) here.first = position;
    };
    const auto size = end - begin + LiteralTable::head_size - 1;
    heads_->scan(text.substr(begin, size), *heads_scratch_, found, &context);
    return context.first;
}

/// Emits all that begins before `until`. Nothing that is still to come can begin there, so the mask of a run that does
/// is certain, even if the run may grow at its end.
void MaskStream::emit(std::string_view text, std::size_t until, std::string& out) {
    auto position = covered_;
    auto run = runs_.begin();
    for (; run != runs_.end() && run->begin < until; ++run) {
        if (run->begin >= position) {
            out.append(text, position, run->begin - position);
            out.append(table_.mask(run->literal));
        }
        position = std::max(position, run->end);
    }
    if (position < until) {
        out.append(text, position, until - position);
        position = until;
    }
    covered_ = position - until;
    runs_.erase(runs_.begin(), run);
    for (auto& later : runs_) {
        later.begin -= until;
        later.end -= until;
    }
}

}  // namespace trebuchet
