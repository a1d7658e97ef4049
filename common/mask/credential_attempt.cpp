#include "common/mask/credential_attempt.hpp"

#include <algorithm>
#include <array>

namespace trebuchet {
namespace {

constexpr CharSet word("a-zA-Z0-9_");
constexpr CharSet digits("0-9");
constexpr CharSet hex_digits("0-9a-fA-F");
constexpr CharSet capitals_and_digits("A-Z0-9_");
constexpr CharSet base64("a-zA-Z0-9+/");
constexpr CharSet blank(" \t\r\n");

bool all(std::string_view text, const CharSet& set) {
    return std::all_of(text.begin(), text.end(), [&](char c) { return set.has(c); });
}

/// True if `before` ends with an escape (\n, %20, \x0a, \u0022, a terminal colour), so that its last letter is not part
/// of a word.
bool ends_with_escape(std::string_view before) {
    const auto size = before.size();
    if (size >= 2 && before[size - 2] == '\\') return std::string_view("nrt0").find(before.back()) != before.npos;
    if (size >= 3 && before[size - 3] == '%') return all(before.substr(size - 2), hex_digits);
    if (size >= 4 && before.substr(size - 4, 2) == "\\x" && all(before.substr(size - 2), hex_digits)) return true;
    if (size >= 6 && before.substr(size - 6, 2) == "\\u") return all(before.substr(size - 4), hex_digits);
    if (before.back() != 'm' && before.back() != 'K') return false;
    auto place = size - 1;
    while (place > 0 && (digits.has(before[place - 1]) || before[place - 1] == ';')) --place;
    return place >= 2 && before[place - 1] == '[' && before[place - 2] == '\x1B';
}

bool begins_word(std::string_view before, const CharSet& characters) {
    if (before.empty()) return true;
    if (!characters.has(before.back()) && !word.has(before.back())) return true;
    return ends_with_escape(before);
}

/// A placeholder instead of a value: $NAME, ${…}, {…}, %s, or only asterisks and the like.
bool is_placeholder(std::string_view value) {
    if ((value.starts_with("${") || value.starts_with('{')) && value.ends_with('}')) return true;
    if (value.starts_with("%(") && value.ends_with(")s")) return true;
    if (value.size() == 2 && value.front() == '%') return true;
    if (value.size() > 1 && value.front() == '$' && all(value.substr(1), capitals_and_digits)) return true;
    return std::string_view("*xX.").find(value.front()) != std::string_view::npos &&
           value.find_first_not_of(value.front()) == std::string_view::npos;
}

/// True for a port, such as 8080 before a comma.
bool begins_with_port(std::string_view after_colon) {
    const auto size = std::min(after_colon.find_first_not_of("0123456789"), after_colon.size());
    return size > 0 && size <= 5 && size < after_colon.size() &&
           std::string_view(",;'|)]}").find(after_colon[size]) != std::string_view::npos;
}

constexpr CharSet ends_authority("/?#");

bool in_url(char c) {
    static constexpr CharSet delimiters("\"<>`\\");
    return static_cast<unsigned char>(c) > ' ' && c != '\x7F' && !delimiters.has(c);
}

/// registry:tag@sha256:digest is a container image and not a credential.
bool is_digest(std::string_view host) {
    return host.starts_with("sha256:") || host.starts_with("sha512:");
}

/// Contains a run of base64 that does not occur in paths or sentences.
bool looks_like_body(std::string_view line) {
    constexpr std::size_t least = 16;
    std::size_t size = 0;
    bool upper = false;
    bool lower = false;
    bool digit = false;
    for (const char c : line) {
        if (!base64.has(c)) {
            size = 0;
            upper = lower = digit = false;
            continue;
        }
        ++size;
        upper = upper || (c >= 'A' && c <= 'Z');
        lower = lower || (c >= 'a' && c <= 'z');
        digit = digit || digits.has(c);
        if (size >= least && upper && lower && digit) return true;
    }
    return false;
}

/// Length of blanks and line ends at the start of `text`, including line ends written as \n.
std::size_t blanks_in_front(std::string_view text) {
    std::size_t size = 0;
    while (size < text.size()) {
        if (blank.has(text[size])) {
            ++size;
        } else if (text[size] == '\\' && size + 1 < text.size() && (text[size + 1] == 'n' || text[size + 1] == 'r')) {
            size += 2;
        } else {
            break;
        }
    }
    return size;
}

std::size_t without_blanks_behind(std::string_view text) {
    auto size = text.size();
    while (size > 0) {
        if (blank.has(text[size - 1])) {
            --size;
        } else if (size > 1 && text[size - 2] == '\\' && (text[size - 1] == 'n' || text[size - 1] == 'r')) {
            size -= 2;
        } else {
            break;
        }
    }
    return size;
}

/// True if `text` may contain a key, and not only a few words or the rest of a masked key.
bool may_hold_key(std::string_view text) {
    constexpr std::size_t least = 40;
    std::size_t count = 0;
    for (std::size_t i = 0; i < text.size();) {
        if (is_mask(text.substr(i, mask_size))) {
            i += mask_size;
        } else if (const auto blanks = blanks_in_front(text.substr(i)); blanks > 0) {
            i += blanks;
        } else {
            if (base64.has(text[i])) ++count;
            if (count >= least) return true;
            ++i;
        }
    }
    return looks_like_body(text);
}

constexpr std::array<std::string_view, 3> end_markers{"-----END ", "---- END ", "Private-MAC:"};
/// Other blocks begin with these. A block's search stops there, so that many beginnings do not cost a square of the
/// length.
constexpr std::array<std::string_view, 3> begin_markers{"-----BEGIN ", "---- BEGIN ", "Private-Lines:"};
constexpr std::size_t longest_marker = 14;
constexpr unsigned most_foreign_lines = 6;

/// Bytes to search in one step. Bounds the wasted work where blocks are short.
constexpr std::size_t piece_size = 256;

/// Length of "-----BEGIN ", a label of 32 bytes and "PRIVATE KEY BLOCK-----".
constexpr std::size_t longest_block_lead = 66;
static_assert(longest_block_lead <= longest_pattern + longest_look_back);

template <std::size_t size>
std::size_t find_first(std::string_view text, const std::array<std::string_view, size>& markers) {
    auto first = std::string_view::npos;
    for (const auto marker : markers) first = std::min(first, text.find(marker));
    return first;
}

}  // namespace

CredentialAttempt::State CredentialAttempt::advance(const StreamPart& text, bool last) {
    switch (rule_->shape) {
        case CredentialShape::token:
            return advance_token(text, last);
        case CredentialShape::authority:
            return advance_authority(text, last);
        case CredentialShape::block:
            return advance_block(text, last);
    }
    return State::rejected;
}

CredentialAttempt::State CredentialAttempt::advance_token(const StreamPart& text, bool last) {
    if (position_ == begin_ && rule_->prefix > 0 &&
        !begins_word(text.before(begin_ - rule_->prefix, longest_look_back), *rule_->characters)) {
        return State::rejected;
    }
    const auto limit = std::min(text.end(), begin_ + rule_->most);
    const bool slashes = rule_->characters->has('/');
    for (; position_ < limit; ++position_) {
        if (rule_->characters->has(text.at(position_))) continue;
        if (!slashes || text.at(position_) != '\\') break;
        if (position_ + 1 == text.end() && !last) return State::open;
        if (position_ + 1 == text.end() || text.at(position_ + 1) != '/') break;
    }
    if (position_ == text.end() && !last && position_ < begin_ + rule_->most) return State::open;
    const auto run = text.from(begin_, position_);
    const auto size = run.find_last_not_of(rule_->trailing) + 1;
    if (!rule_->plausible(run.substr(0, size))) return State::rejected;
    end_ = begin_ + size;
    return State::matched;
}

CredentialAttempt::State CredentialAttempt::advance_authority(const StreamPart& text, bool last) {
    const auto limit = std::min(text.end(), begin_ + rule_->most);
    for (; position_ < limit; ++position_) {
        const char c = text.at(position_);
        if (c == '\\') {
            if (position_ + 1 == text.end() && !last) return State::open;
            if (position_ + 1 < text.end() && text.at(position_ + 1) == 'u') continue;
        }
        if (!in_url(c) || (c == '[' && position_ == begin_) || (c == ':' && unescaped_)) return end_authority(text);
        if (ends_authority.has(c) && !unescaped_) {
            if (!may_be_in_password(text)) return end_authority(text);
            unescaped_ = true;
        }
        if (c == ':' && hold_ == none) hold_ = position_ + 1;
        if (c == '@') at_ = position_;
        if (c == '@' && unescaped_) return end_authority(text);
        if (c == '@' && hold_ == none && position_ == begin_) return State::rejected;
    }
    if (position_ == text.end() && !last && position_ < begin_ + rule_->most) return State::open;
    return end_authority(text);
}

/// Some programs accept a password with an unescaped "/", "?" or "#". It is not a password if it may be a port, or the
/// path after user@host:.
bool CredentialAttempt::may_be_in_password(const StreamPart& text) const {
    if (hold_ == none || at_ != none || hold_ == position_) return false;
    const auto value = text.from(hold_, position_);
    return !all(value, digits) && !begins_with_port(value);
}

CredentialAttempt::State CredentialAttempt::end_authority(const StreamPart& text) {
    if (hold_ == none || at_ == none || at_ <= hold_) return State::rejected;
    const auto value = text.from(hold_, at_);
    const auto host = text.from(at_ + 1, std::max(position_, at_ + 1));
    if (is_placeholder(value) || begins_with_port(text.from(hold_, position_)) || is_digest(host)) {
        return State::rejected;
    }
    begin_ = hold_;
    end_ = at_;
    return State::matched;
}

CredentialAttempt::State CredentialAttempt::advance_block(const StreamPart& text, bool last) {
    if (position_ == begin_ && rule_->plausible != nullptr &&
        !rule_->plausible(text.before(begin_, longest_block_lead))) {
        return State::rejected;
    }
    const auto limit = std::min(text.end(), begin_ + rule_->most);
    while (position_ < limit) {
        const auto piece_end = std::min(limit, position_ + piece_size);
        const auto newline = text.from(position_, piece_end).find('\n');
        const auto line_end = newline == std::string_view::npos ? piece_end : position_ + newline;
        const auto search = std::max(line_, position_ - std::min(position_, longest_marker));
        const auto line = text.from(search, line_end);
        const auto end_marker = find_first(line, end_markers);
        const auto begin_marker = find_first(line.substr(0, end_marker), begin_markers);
        const auto marker = std::min(end_marker, begin_marker);
        if (marker != std::string_view::npos) return end_block(text, search + marker, marker == end_marker);
        position_ = line_end;
        if (newline == std::string_view::npos) continue;
        ++position_;
        if (looks_like_body(text.from(line_, line_end))) {
            has_body_ = true;
            body_end_ = line_end;
            foreign_lines_ = 0;
        } else if (++foreign_lines_ > most_foreign_lines) {
            return has_body_ ? end_block(text, body_end_, false) : State::rejected;
        }
        line_ = position_;
    }
    if (position_ == begin_ + rule_->most || last) return end_block(text, position_, false);
    return State::open;
}

/// `marked`: the block has an end marker, so everything before it is the key's body.
CredentialAttempt::State CredentialAttempt::end_block(const StreamPart& text, std::size_t end, bool marked) {
    const auto body = text.from(begin_, end);
    const bool found = marked ? may_hold_key(body) : has_body_ || looks_like_body(body);
    if (!found) return State::rejected;
    end_ = begin_ + without_blanks_behind(body);
    begin_ += blanks_in_front(body);
    return State::matched;
}

}  // namespace trebuchet
