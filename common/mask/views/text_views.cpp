#include "common/mask/views/text_views.hpp"

#include "common/mask/views/skeleton.hpp"

#include <algorithm>
#include <bit>

namespace trebuchet {
namespace {

/// Three encodings one in another, each with its unescaped text and that one's skeleton.
constexpr std::size_t most_levels = 10;

/// Bounds the work for hostile text: times the size of the raw text.
constexpr std::size_t most_growth = 4;

bool has_escapes(std::string_view text) {
    return std::any_of(text.begin(), text.end(), may_begin_escape);
}

}  // namespace

void TextViews::derive(std::string_view text, bool open) {
    const Source raw{text, nullptr, nullptr, open};
    levels_.resize(most_levels);
    derive_raw(raw, levels_[0]);
    auto left = most_growth * text.size() + 65536;
    for (std::size_t i = 0; i + 1 < most_levels; ++i) {
        const auto& level = levels_[i];
        for (const auto& piece : level.pieces()) {
            const auto before = levels_[i + 1].bytes().size();
            derive_from({level.text_of(piece), &level.place(piece.begin), &piece, piece.open}, levels_[i + 1]);
            const auto added = levels_[i + 1].bytes().size() - before;
            if (added >= left) return;
            left -= added;
        }
    }
}

void TextViews::derive_from(Source source, DerivedText& out) {
    compute_masks(source.text, masks_);
    source.masks = &masks_;
    const auto kind = source.piece->kind;
    runs_.append(source, kind != Piece::Kind::skeleton, out);
    if (kind == Piece::Kind::skeleton) return;
    numbers_.append(source, out);
    if (kind == Piece::Kind::decoded && has_escapes(source.text)) {
        append_unescaped(source, 0, source.text.size(), out);
    } else {
        append_skeleton(source, out);
    }
}

namespace {

/// The nearest character of a skeleton before `place`; NUL if an escape may have made it, or if there is none near.
char solid_before(std::string_view text, std::size_t place) {
    constexpr std::size_t near = 16;
    for (auto i = place; i > 0 && place - i < near; --i) {
        const char c = text[i - 1];
        if (may_begin_escape(c) || c == ';') return '\0';
        if (is_in_skeleton(c)) {
            // The end of an escape such as \n or \u0041 or %41 looks like a character.
            const auto before = text.substr(i - 1 - std::min<std::size_t>(i - 1, 6), std::min<std::size_t>(i - 1, 6));
            return std::any_of(before.begin(), before.end(), may_begin_escape) ? '\0' : c;
        }
    }
    return '\0';
}

char solid_behind(std::string_view text) {
    for (const char c : text.substr(0, 16)) {
        if (may_begin_escape(c)) return '\0';
        if (is_in_skeleton(c)) return c;
    }
    return '\0';
}

bool is_alphanumeric_byte(char c) {
    return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

}  // namespace

/// True where unescaping changes something that may matter, or may once the text goes on.
bool TextViews::is_worth_unescaping(const Source& source, std::size_t place) const {
    const auto text = source.text.substr(place, 64);
    if (source.open && text.size() < longest_escape) return true;
    const auto escape = escape_at(text);
    if (escape.size == 0) return false;
    if (neighbours_ == nullptr || text[0] == '\0') return true;
    const char made = escape.count > 0 ? escape.bytes[0] : '\0';
    if (made != '\0' && (may_begin_escape(made) || made == '/' || made == '+')) return true;
    const auto rest = text.substr(std::min(escape.size, text.size()));
    const char before = place > 0 ? source.text[place - 1] : '\0';
    const bool between = made == '\0' || !is_in_skeleton(made);
    if (between && escape.size > 1 && !rest.empty() && is_alphanumeric_byte(before) && is_alphanumeric_byte(rest[0]) &&
        (made == '\n' || made == ' ' || made == ',' || made == ':' || text[0] == '=')) {
        return true;  // lines of base64, or a dump
    }
    const char left = solid_before(source.text, place);
    const char right = between ? solid_behind(rest) : made;
    if (left == '\0' || right == '\0' || neighbours_(left, right)) return true;
    if (between) return false;
    const char further = solid_behind(rest);
    return further == '\0' || neighbours_(made, further);
}

void TextViews::derive_raw(Source source, DerivedText& out) {
    compute_masks(source.text, masks_);
    source.masks = &masks_;
    runs_.append(source, true, out);
    numbers_.append(source, out);
    append_unescaped_lines(source, out);
}

/// Lines with escapes, and the one behind them, where a value may go on.
void TextViews::append_unescaped_lines(const Source& source, DerivedText& out) {
    const auto text = source.text;
    std::size_t begin = 0;
    std::size_t end = 0;  // of the lines that are to be unescaped
    for (std::size_t block = 0; block < masks_.size(); ++block) {
        for (auto escapes = masks_[block].escape; escapes != 0; escapes &= escapes - 1) {
            const auto place = block * ByteMasks::bytes + static_cast<std::size_t>(std::countr_zero(escapes));
            if (!is_worth_unescaping(source, place)) continue;
            if (place >= end) {
                if (end > begin) append_unescaped(source, begin, end, out);
                begin = std::max(end, text.rfind('\n', place) + 1);
                end = begin;
            }
            const auto line_end = std::min(text.find('\n', place), text.size() - 1) + 1;
            end = std::max(
                end, line_end < text.size() ? std::min(text.find('\n', line_end), text.size() - 1) + 1 : line_end);
            if (end == text.size()) break;
        }
    }
    if (end > begin) append_unescaped(source, begin, end, out);
}

void TextViews::clear() {
    for (auto& level : levels_) level.clear();
}

}  // namespace trebuchet
