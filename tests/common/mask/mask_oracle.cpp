#include "tests/common/mask/mask_oracle.hpp"

#include "common/mask/finder.hpp"
#include "common/mask/gap.hpp"
#include "common/mask/secret_forms.hpp"

#include <algorithm>
#include <string>

namespace trebuchet::test {

namespace {

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

}  // namespace

std::size_t MaskOracle::Entry::common(std::string_view text) const {
    std::size_t count = 0;
    const auto most = std::min(text.size(), bytes.size());
    while (count < most && (any_case ? lower(text[count]) : text[count]) == bytes[count]) ++count;
    return count;
}

MaskOracle::MaskOracle(const MaskSet& set, const std::vector<std::string>& values, std::size_t min_length) {
    std::vector<Entry> own;
    for (const auto& value : values) {
        if (core_of(value).empty() || value.size() < min_length) continue;
        own.push_back({value, std::string(set.mask(value).bytes()), false});
    }
    for (const auto& value : own) add(value);
    for (const auto& value : own) {
        for (const auto& form : derived_forms(value.bytes, min_length)) {
            add({std::string(form.bytes.reveal()), value.mask, form.any_case});
        }
    }
}

void MaskOracle::add(Entry entry) {
    const auto first = static_cast<unsigned char>(entry.bytes.front());
    if (entry.any_case && first >= 'a' && first <= 'z') entries_[first - 'a' + 'A'].push_back(entry);
    entries_[first].push_back(std::move(entry));
}

/// A text without its gaps.
struct MaskOracle::Visible {
    std::string bytes;
    std::vector<std::size_t> positions;
    /// Bytes in different groups are never part of one value.
    std::vector<int> groups;
    int last_group = 0;
    bool ends_in_gap = false;
    /// Start of an incomplete escape sequence; the text's size if there is none.
    std::size_t unfinished = 0;
    /// For each position of the text: its index in `bytes`, or that of the next byte.
    std::vector<std::size_t> index;

    Visible(std::string_view text, bool last, GapKind kind) : unfinished(text.size()) {
        for (std::size_t i = 0; i < text.size();) i = read(text, i, last, kind);
        index.resize(text.size(), bytes.size());
        for (std::size_t i = 0; i < positions.size(); ++i) index[positions[i]] = i;
    }

    [[nodiscard]] bool shows(std::size_t position) const {
        return index[position] < positions.size() && positions[index[position]] == position;
    }
    /// The bytes after `first` that may belong to the same value.
    [[nodiscard]] std::string_view group_from(std::size_t first) const {
        auto end = first;
        while (end < bytes.size() && groups[end] == groups[first]) ++end;
        return std::string_view(bytes).substr(first, end - first);
    }

  private:
    /// Returns the next position to read.
    std::size_t read(std::string_view text, std::size_t i, bool last, GapKind kind) {
        const std::string_view first = kind == GapKind::bare ? "\r\n\x1B" : "\r\n";
        if (first.find(text[i]) == std::string_view::npos) {
            bytes += text[i];
            positions.push_back(i);
            groups.push_back(last_group);
            return i + 1;
        }
        const auto gap = gap_at(text, i, kind);
        if (gap.size() > longest_gap) {
            ++last_group;
            return gap.end;
        }
        if (gap.state != Gap::State::complete && !last) {
            ends_in_gap = true;
            if (gap.state == Gap::State::unfinished) unfinished = gap.end;
            return text.size();
        }
        if (gap.size() > 0) return gap.end;
        ++last_group;
        return i + 1;
    }
};

MaskOracle::Views MaskOracle::views_of(std::string_view text, bool last) {
    return {Visible(text, last, GapKind::bare), Visible(text, last, GapKind::indented)};
}

/// The longest that begins at `position`, with where it ends.
std::pair<const MaskOracle::Entry*, std::size_t> MaskOracle::longest_at(std::string_view text, const Views& views,
                                                                        std::size_t position) const {
    std::pair<const Entry*, std::size_t> longest{nullptr, 0};
    const auto take = [&longest](const Entry& entry, std::size_t end) {
        const bool is_better = longest.first == nullptr || end > longest.second;
        if (is_better) longest = {&entry, end};
    };
    const auto rest = text.substr(position);
    for (const bool any_case : {false, true}) {
        for (const auto& entry : entries_at(rest)) {
            if (entry.any_case == any_case && entry.common(rest) == entry.bytes.size()) {
                take(entry, position + entry.bytes.size());
            }
        }
    }
    for (const auto& visible : views) {
        if (!visible.shows(position)) continue;
        const auto first = visible.index[position];
        const auto group = visible.group_from(first);
        for (const bool any_case : {false, true}) {
            for (const auto& entry : entries_at(rest)) {
                if (entry.any_case == any_case && entry.bytes.size() >= Literals::least_to_join &&
                    entry.common(group) == entry.bytes.size()) {
                    take(entry, visible.positions[first + entry.bytes.size() - 1] + 1);
                }
            }
        }
    }
    return longest;
}

std::string MaskOracle::masked_until(std::string_view text, std::size_t until, bool last) const {
    const auto views = views_of(text, last);
    std::string out;
    std::size_t covered = 0;
    for (std::size_t position = 0; position < until; ++position) {
        const auto [longest, end] = longest_at(text, views, position);
        if (longest != nullptr) {
            if (position >= covered) out += longest->mask;
            covered = std::max(covered, end);
        } else if (position >= covered) {
            out += text[position];
        }
    }
    return out;
}

std::size_t MaskOracle::held(std::string_view text) const {
    const auto is_empty = [](const std::vector<Entry>& some) { return some.empty(); };
    if (std::all_of(entries_.begin(), entries_.end(), is_empty)) return 0;
    const auto views = views_of(text, false);
    for (std::size_t position = 0; position < text.size(); ++position) {
        const auto rest = text.substr(position);
        for (const auto& entry : entries_at(rest)) {
            if (entry.bytes.size() > rest.size() && entry.common(rest) == rest.size()) return rest.size();
        }
        for (const auto& visible : views) {
            if (position == visible.unfinished) return rest.size();
            if (!visible.shows(position) || visible.groups[visible.index[position]] != visible.last_group) continue;
            const auto visible_rest = visible.group_from(visible.index[position]);
            for (const auto& entry : entries_at(rest)) {
                const bool may_go_on = entry.bytes.size() >= Literals::least_to_join &&
                                       entry.bytes.size() > visible_rest.size() &&
                                       entry.common(visible_rest) == visible_rest.size();
                if (may_go_on) return rest.size();
            }
        }
    }
    return 0;
}

std::vector<std::vector<std::size_t>> MaskOracle::places(std::string_view text) const {
    const auto views = views_of(text, true);
    std::vector<std::vector<std::size_t>> places;
    for (std::size_t position = 0; position < text.size(); ++position) {
        const auto rest = text.substr(position);
        for (const auto& entry : entries_at(rest)) {
            if (entry.common(rest) == entry.bytes.size()) {
                auto& place = places.emplace_back();
                for (std::size_t i = 0; i < entry.bytes.size(); ++i) place.push_back(position + i);
            }
            for (const auto& visible : views) {
                if (!visible.shows(position) || entry.bytes.size() < Literals::least_to_join) continue;
                const auto first = visible.index[position];
                if (entry.common(visible.group_from(first)) != entry.bytes.size()) continue;
                auto& place = places.emplace_back();
                for (std::size_t i = 0; i < entry.bytes.size(); ++i) place.push_back(visible.positions[first + i]);
            }
        }
    }
    return places;
}

namespace {

struct Span {
    std::size_t begin;
    std::size_t end;
};

/// Values that overlap are one run.
std::vector<Span> runs_of(const std::vector<std::vector<std::size_t>>& places) {
    std::vector<Span> spans;
    spans.reserve(places.size());
    for (const auto& place : places) spans.push_back({place.front(), place.back() + 1});
    std::sort(spans.begin(), spans.end(), [](const Span& left, const Span& right) { return left.begin < right.begin; });
    std::vector<Span> runs;
    for (const auto& span : spans) {
        if (!runs.empty() && span.begin < runs.back().end) {
            runs.back().end = std::max(runs.back().end, span.end);
        } else {
            runs.push_back(span);
        }
    }
    return runs;
}

}  // namespace

std::string MaskOracle::complaint_about_released(std::string_view text, std::string_view out) const {
    const auto where = [](const char* what, std::size_t position) { return what + std::to_string(position); };
    constexpr std::size_t mask_size = 10;
    const auto all_places = places(text);
    const auto runs = runs_of(all_places);
    std::vector<bool> shown(text.size());
    std::size_t position = 0;
    for (std::size_t i = 0; i < out.size();) {
        if (out.substr(i, 2) == "**") {
            const auto run = std::find_if(runs.begin(), runs.end(),
                                          [&](const Span& one) { return one.begin <= position && position < one.end; });
            if (run == runs.end()) return where("a mask where no value is, at ", position);
            position = run->end;
            i += mask_size;
            continue;
        }
        if (position >= text.size() || out[i] != text[position]) return where("another text at ", position);
        shown[position++] = true;
        ++i;
    }
    if (position != text.size()) return where("the text ends at ", position);
    for (const auto& place : all_places) {
        const auto count = static_cast<std::size_t>(
            std::count_if(place.begin(), place.end(), [&](std::size_t byte) { return shown[byte]; }));
        if (count > std::min<std::size_t>(3, place.size() / 4) || shown[place.back()]) {
            return where("too much is shown of the value at ", place.front());
        }
    }
    return "";
}

std::string MaskOracle::certain(std::string_view text) const {
    return masked_until(text, text.size() - held(text), false);
}

std::string MaskOracle::masked(std::string_view text) const {
    return masked_until(text, text.size(), true);
}

std::vector<NamedSecret> named(const std::vector<std::string>& values) {
    std::vector<NamedSecret> secrets;
    secrets.reserve(values.size());
    for (const auto& value : values) {
        secrets.push_back({"NAME_" + std::to_string(secrets.size() + 1), SecretString(value)});
    }
    return secrets;
}

}  // namespace trebuchet::test
