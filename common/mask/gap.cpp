#include "common/mask/gap.hpp"

namespace trebuchet {
namespace {

constexpr char escape = '\x1B';

bool is_in(char c, char first, char last) {
    return c >= first && c <= last;
}

/// Length of the escape sequence (ECMA-48) at the start of `text`; 0 if there is none, npos if the text ends within it.
std::size_t sequence_size(std::string_view text) {
    constexpr auto unfinished = std::string_view::npos;
    const auto whole = text.size() <= longest_gap;
    text = text.substr(0, longest_gap);
    if (text.size() < 2) return unfinished;
    std::size_t i = 2;
    if (text[1] == '[') {
        while (i < text.size() && is_in(text[i], '0', '?')) ++i;
        while (i < text.size() && is_in(text[i], ' ', '/')) ++i;
        if (i < text.size()) return is_in(text[i], '@', '~') ? i + 1 : 0;
    } else if (std::string_view("]PX^_").find(text[1]) != std::string_view::npos) {
        for (; i < text.size(); ++i) {
            if (text[i] == '\a') return i + 1;
            if (text[i] == escape && i + 1 < text.size()) return text[i + 1] == '\\' ? i + 2 : 0;
        }
    } else {
        i = 1;
        while (i < text.size() && is_in(text[i], ' ', '/')) ++i;
        if (i < text.size()) return is_in(text[i], '0', '~') ? i + 1 : 0;
    }
    return whole && text.size() < longest_gap ? unfinished : 0;
}

/// Length of the line end or escape sequence at `position`; otherwise like sequence_size().
std::size_t part_size(std::string_view text, std::size_t position) {
    const char c = text[position];
    if (c == '\n' || c == '\r') return 1;
    return c == escape ? sequence_size(text.substr(position)) : 0;
}

Gap indented_gap_at(std::string_view text, std::size_t begin) {
    Gap gap{begin, begin, Gap::State::complete};
    auto position = begin;
    while (position < text.size() && is_line_end(text[position])) {
        while (position < text.size() && is_line_end(text[position])) ++position;
        const auto line = position;
        while (position < text.size() && is_blank(text[position])) ++position;
        if (position > line) gap.end = position;
    }
    if (position == text.size()) gap.state = Gap::State::may_grow;
    return gap;
}

}  // namespace

Gap gap_at(std::string_view text, std::size_t begin, GapKind kind) {
    if (kind == GapKind::indented) return indented_gap_at(text, begin);
    Gap gap{begin, begin, Gap::State::complete};
    while (gap.end < text.size()) {
        const auto size = part_size(text, gap.end);
        if (size == std::string_view::npos) gap.state = Gap::State::unfinished;
        if (size == 0 || size == std::string_view::npos) return gap;
        gap.end += size;
    }
    gap.state = Gap::State::may_grow;
    return gap;
}

std::size_t whole_parts_until(std::string_view text, std::size_t begin, std::size_t until) {
    while (begin < until) {
        const auto size = part_size(text, begin);
        if (size == 0 || size == std::string_view::npos) return until;
        begin += size;
    }
    return begin;
}

}  // namespace trebuchet
