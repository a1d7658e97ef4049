#include "common/mask/finder.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace trebuchet {
namespace {

/// Up to this many new bytes are searched without the matcher, because of its cost per call.
constexpr std::size_t few_bytes = 16;

/// From this many positions on, a matcher searches for the heads of long literals.
constexpr std::size_t worth_a_scan = 256;

Match match_of(const LiteralTable& table, std::uint32_t literal, std::size_t end) {
    return {end - table.bytes(literal).size(), end, &table.literal(literal)};
}

}  // namespace

Result<std::unique_ptr<const Literals>> Literals::compile(std::vector<Literal> literals,
                                                          std::vector<MaskedValue> values) {
    const auto middle =
        std::stable_partition(literals.begin(), literals.end(), [](const Literal& one) { return !one.any_case; });
    std::vector<Literal> any_case(std::make_move_iterator(middle), std::make_move_iterator(literals.end()));
    literals.erase(middle, literals.end());

    std::unique_ptr<Literals> compiled(new Literals(std::move(literals), std::move(any_case)));
    compiled->values_ = std::move(values);
    auto anchors = compiled->exact_.anchors();
    compiled->exact_anchors_ = anchors.size();
    const auto other_anchors = compiled->any_case_.anchors();
    anchors.insert(anchors.end(), other_anchors.begin(), other_anchors.end());
    auto matcher = PatternDatabase::of_literals(anchors, compiled->exact_anchors_);
    if (!matcher) return fail(std::move(matcher).error());
    compiled->anchors_ = std::move(*matcher);

    auto heads = compiled->exact_.heads();
    compiled->exact_heads_ = heads.size();
    const auto other_heads = compiled->any_case_.heads();
    heads.insert(heads.end(), other_heads.begin(), other_heads.end());
    if (!heads.empty()) {
        auto head_matcher = PatternDatabase::of_literals(heads, compiled->exact_heads_);
        if (!head_matcher) return fail(std::move(head_matcher).error());
        compiled->heads_ = std::move(*head_matcher);
    }
    return std::unique_ptr<const Literals>(std::move(compiled));
}

Finder::Finder(const Literals& literals) : literals_(literals), scratch_(literals.anchors_->make_scratch()) {
    if (literals.heads_) heads_scratch_ = literals.heads_->make_scratch();
}

void Finder::find(std::string_view text, std::size_t scanned, std::vector<Match>& matches) {
    matches.clear();
    if (text.size() - scanned <= few_bytes) {
        find_few(text, scanned, matches);
        return;
    }
    struct Context {
        const Literals& literals;
        std::size_t exact_anchors;
        std::vector<Match>& matches;
        std::string_view text;
        std::size_t scan_start;
        std::size_t scanned;
        bool sorted;
    };
    const auto overlap = std::min(scanned, LiteralTable::anchor_size - 1);
    Context context{literals_, literals_.exact_anchors_, matches, text, scanned - overlap, scanned, true};
    const auto found = [](void* data, std::uint32_t anchor, std::size_t end_in_scan) noexcept {
        auto& here = *static_cast<Context*>(data);
        const auto end = here.scan_start + end_in_scan;
        if (end <= here.scanned) return;
        const bool exact = anchor < here.exact_anchors;
        const auto& table = exact ? here.literals.exact() : here.literals.any_case();
        const auto own = exact ? anchor : anchor - static_cast<std::uint32_t>(here.exact_anchors);
        const auto literal = table.longest_at_end(here.text.substr(0, end), own);
        if (literal == LiteralTable::none) return;
        const auto match = match_of(table, literal, end);
        if (!here.matches.empty() && here.matches.back().end == end) {
            // If both begin at the same position, prefer the exact one.
            auto& other = here.matches.back();
            if (match.begin < other.begin || (match.begin == other.begin && exact)) other = match;
            return;
        }
        if (!here.matches.empty() && here.matches.back().end > end) here.sorted = false;
        here.matches.push_back(match);
    };
    literals_.anchors_->scan(text.substr(context.scan_start), scratch_, found, &context);
    if (!context.sorted) {
        std::stable_sort(matches.begin(), matches.end(),
                         [](const Match& left, const Match& right) { return left.end < right.end; });
    }
}

void Finder::find_few(std::string_view text, std::size_t scanned, std::vector<Match>& matches) const {
    for (auto end = scanned + 1; end <= text.size(); ++end) {
        const auto until_here = text.substr(0, end);
        const auto exact = literals_.exact_.longest_at_end(until_here);
        if (exact != LiteralTable::none) matches.push_back(match_of(literals_.exact_, exact, end));
        const auto other = literals_.any_case_.longest_at_end(until_here);
        if (other == LiteralTable::none) continue;
        const auto match = match_of(literals_.any_case_, other, end);
        if (exact == LiteralTable::none) {
            matches.push_back(match);
        } else if (match.begin < matches.back().begin) {
            matches.back() = match;
        }
    }
}

std::size_t Finder::first_open(std::string_view text, std::size_t scanned, OpenLiteral& begin, std::size_t least) {
    const bool knows_beginning = begin.table != nullptr && text.size() >= begin.prefix.known;
    if (knows_beginning && begin.table->goes_on(begin.prefix.literal, text, begin.prefix.known)) {
        begin.prefix.known = text.size();
        return 0;
    }
    const auto known_in = [&](const LiteralTable& table) {
        return knows_beginning && begin.table == &table ? &begin.prefix : nullptr;
    };
    const auto& exact = literals_.exact_;
    const auto& any_case = literals_.any_case_;
    std::uint32_t exact_literal = 0;
    std::uint32_t any_case_literal = 0;
    const auto exact_first = first_open_in(exact, text, scanned, least, exact_literal, known_in(exact));
    const auto any_case_first = first_open_in(any_case, text, scanned, least, any_case_literal, known_in(any_case));
    const auto first = std::min(exact_first, any_case_first);
    const bool is_exact = exact_first == first;
    const auto literal = is_exact ? exact_literal : any_case_literal;
    if (first == text.size() || literal == LiteralTable::none) {
        begin = {};
        return first;
    }
    const auto* table = is_exact ? &exact : &any_case;
    if (begin.table != table || begin.prefix.literal != literal) begin = {table, {literal}};
    begin.prefix.known = text.size() - first;
    return first;
}

std::size_t Finder::first_open(std::string_view text, std::size_t least) {
    OpenLiteral begin;
    return first_open(text, 0, begin, least);
}

std::size_t Finder::showable(std::string_view rest, std::size_t least) const {
    auto showable = SIZE_MAX;
    for (const auto* table : {&literals_.exact_, &literals_.any_case_}) {
        const auto size = table->shortest_open(rest, least);
        if (size > 0) showable = std::min({showable, std::size_t{3}, size / 4});
    }
    return showable;
}

/// Tries the first `scanned` positions one by one, because the first one is usually still open.
std::size_t Finder::first_open_in(const LiteralTable& table, std::string_view text, std::size_t scanned,
                                  std::size_t least, std::uint32_t& literal, LiteralPrefix* prefix) {
    if (table.size() == 0) return text.size();
    auto begin = text.size() - std::min(text.size(), table.longest() - 1);
    constexpr std::size_t gram = 4;
    if (text.size() - begin >= gram && !literals_.joins_.may_hold_end(text, table.any_case())) {
        begin = text.size() - (gram - 1);
    }
    if (table.any_case()) begin = table.alphabet_begin(text, begin);  // usually only a few bytes remain
    const auto far_begin = std::max(begin, scanned);
    const auto far_end = text.size() - std::min(text.size(), LiteralTable::long_size);
    if (table.longest() <= LiteralTable::long_size || far_end < far_begin + worth_a_scan) {
        return table.first_open(text, begin, text.size(), least, &literal, prefix);
    }
    const auto before = table.first_open(text, begin, far_begin, least, &literal, prefix);
    if (before < far_begin) return before;
    const auto far = first_long_open(table, text, far_begin, far_end, literal);
    return far < far_end ? far : table.first_open(text, far_end, text.size(), least, &literal);
}

/// The same for positions in [`begin`, `end`), where the rest is longer than long_size; `end` if there is none.
std::size_t Finder::first_long_open(const LiteralTable& table, std::string_view text, std::size_t begin,
                                    std::size_t end, std::uint32_t& literal) {
    struct Context {
        const LiteralTable& table;
        std::size_t exact_heads;
        std::string_view text;
        std::size_t scan_start;
        std::size_t first;
        std::uint32_t& literal;
    };
    Context context{table, literals_.exact_heads_, text, begin, end, literal};
    const auto found = [](void* data, std::uint32_t head, std::size_t end_in_scan) noexcept {
        auto& here = *static_cast<Context*>(data);
        if ((head >= here.exact_heads) != here.table.any_case()) return;
        const auto position = here.scan_start + end_in_scan - LiteralTable::head_size;
        if (position >= here.first) return;
        const auto open = here.table.open_literal(here.text.substr(position), 0);
        if (open == LiteralTable::none) return;
        here.first = position;
        here.literal = open;
    };
    const auto size = end - begin + LiteralTable::head_size - 1;
    literals_.heads_->scan(text.substr(begin, size), *heads_scratch_, found, &context);
    return context.first;
}

}  // namespace trebuchet
