#include "common/mask/credential_stream.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

// How credentials are masked:
//
//  1. Search the new bytes with the rules' patterns. A pattern ends with the first byte of a value.
//  2. Each match starts a CredentialAttempt, which reads on until it is matched (it knows begin and end of the value)
//     or rejected (not a credential). Until then it is open and waits for more bytes.
//  3. certain() is the first position that an open attempt holds. Emit everything before it: text unchanged, and one
//     mask for each value; a value that overlaps an emitted one is covered by that mask.
//  4. Keep the bytes from there on, and before them as many emitted bytes as rules look back at.
//
// Example: rule "ghp_" (in_pattern 1, prefix 4), writes "token=gh", "p_A1b2" and "…9Z ok":
//
//     "token=gh"  no match: all of it is emitted, as the prefix of a credential stays visible anyway.
//     "p_A1b2"    the pattern matches up to "A". The attempt looks back: "ghp_" begins a word. It is open, and holds
//                 from "A" on. "p_" is emitted.
//     "…9Z ok"    the blank ends the value. 36 random characters are plausible: matched. The mask is computed from
//                 "ghp_A1b2…9Z" and emitted, then " ok".
namespace trebuchet {
namespace {

/// Bytes to search in one step: few enough to stay in the second-level cache.
constexpr std::size_t slice_size = 64 * std::size_t{1024};

constexpr std::size_t look_back = longest_pattern + longest_look_back;

/// A value that contains asterisks may be a mask or contain masks of registered secrets.
std::size_t find_mask(std::string_view text) {
    for (auto place = text.find("**"); place != std::string_view::npos; place = text.find("**", place + 1)) {
        if (is_mask(text.substr(place, mask_size))) return place;
    }
    return std::string_view::npos;
}

}  // namespace

CredentialStream::CredentialStream(std::shared_ptr<const CredentialPatterns> patterns, Report report)
    : patterns_(std::move(patterns)), report_(std::move(report)) {
    if (patterns_->matcher_) scratch_ = patterns_->matcher_->make_scratch();
}

void CredentialStream::write(std::string_view bytes, std::string& out) {
    take(bytes, false, out);
}

void CredentialStream::write_last(std::string_view bytes, std::string& out) {
    take(bytes, true, out);
}

void CredentialStream::finish(std::string& out) {
    take({}, true, out);
}

void CredentialStream::take(std::string_view bytes, bool last, std::string& out) {
    if (!scratch_) {
        out.append(bytes);
        return;
    }
    if (out.empty()) out.reserve(bytes.size() + held());
    do {
        const auto slice = bytes.substr(0, slice_size);
        bytes.remove_prefix(slice.size());
        const auto scanned = end();
        window_.append(slice);
        search(scanned, last && bytes.empty());
        emit(certain(), out);
        forget();
    } while (!bytes.empty());
    if (!last) return;
    window_.clear();
    window_begin_ = 0;
    done_ = 0;
}

/// Finds pattern matches that end after `scanned`, and continues open attempts.
void CredentialStream::search(std::size_t scanned, bool last) {
    std::erase_if(open_, [&](CredentialAttempt& attempt) { return settle(attempt, last); });
    if (scanned == end()) return;
    hits_.clear();
    const auto from = std::max(window_begin_, scanned - std::min(scanned, longest_pattern));
    const auto found = [](void* hits, std::uint32_t rule, std::size_t hit_end) noexcept {
        static_cast<std::vector<Hit>*>(hits)->push_back({rule, hit_end});
    };
    patterns_->matcher_->scan(part().from(from, end()), *scratch_, found, &hits_);
    for (const auto hit : hits_) {
        if (from + hit.end <= scanned) continue;
        CredentialAttempt attempt(*patterns_->rules_[hit.rule], from + hit.end);
        if (!settle(attempt, last)) open_.push_back(attempt);
    }
}

/// Returns false while the attempt is open.
bool CredentialStream::settle(CredentialAttempt& attempt, bool last) {
    const auto state = attempt.advance(part(), last);
    if (state == CredentialAttempt::State::matched) {
        const Value value{attempt.begin(), attempt.end(), &attempt.rule()};
        const auto in_order = [](const Value& left, const Value& right) {
            return std::tie(left.begin, right.end, left.rule) < std::tie(right.begin, left.end, right.rule);
        };
        values_.insert(std::upper_bound(values_.begin(), values_.end(), value, in_order), value);
    }
    return state != CredentialAttempt::State::open;
}

/// No value that will be found later begins before this position.
std::size_t CredentialStream::certain() const {
    auto until = end();
    for (const auto& attempt : open_) until = std::min(until, attempt.hold());
    return until;
}

void CredentialStream::emit(std::size_t until, std::string& out) {
    auto value = values_.begin();
    for (; value != values_.end() && value->begin < until; ++value) {
        if (value->begin >= done_) {
            out.append(part().from(done_, value->begin));
            emit_value(*value, out);
        }
        done_ = std::max(done_, value->end);
    }
    values_.erase(values_.begin(), value);
    if (done_ >= until) return;
    out.append(part().from(done_, until));
    done_ = until;
}

void CredentialStream::emit_value(const Value& value, std::string& out) {
    auto rest = part().from(value.begin, value.end);
    const bool may_hold_masks = value.rule->shape != CredentialShape::block;
    bool masked = false;
    const auto hide = [&](std::string_view piece) {
        if (piece.find_first_not_of('*') == std::string_view::npos) {
            out.append(piece);
            return;
        }
        if (piece != last_piece_) {
            last_mask_ = patterns_->masks_->of(piece);
            last_piece_ = piece;
        }
        out.append(last_mask_);
        masked = true;
    };
    const auto place = may_hold_masks ? find_mask(rest) : std::string_view::npos;
    if (place == std::string_view::npos) {
        hide(part().from(value.begin - value.rule->prefix, value.end));
    } else {
        for (auto next = place; next != std::string_view::npos; next = find_mask(rest)) {
            hide(rest.substr(0, next));
            out.append(rest, next, mask_size);
            rest.remove_prefix(next + mask_size);
        }
        hide(rest);
    }
    if (masked && report_) report_(value.rule->kind);
}

/// Removes bytes that no search needs any more.
void CredentialStream::forget() {
    const auto first_needed = std::min(done_, certain());
    const auto keep_from = first_needed - std::min(first_needed, look_back);
    if (keep_from <= window_begin_) return;
    const auto drop = keep_from - window_begin_;
    if (drop < window_.size() / 2 && drop < slice_size) return;
    window_.erase(0, drop);
    window_begin_ = keep_from;
}

}  // namespace trebuchet
