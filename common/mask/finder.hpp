#pragma once

#include "common/base/result.hpp"
#include "common/mask/join_filter.hpp"
#include "common/mask/literal_table.hpp"
#include "common/mask/pattern_database.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// What is told of a value: its name, and what is written in its place.
struct MaskedValue {
    std::string name;
    std::string mask;
};

/// All literals of a set, compiled for searching. Immutable: share it between threads.
class Literals {
  public:
    /// Of those with the same bytes the first counts. Fails if the matcher can't be compiled.
    [[nodiscard]] static Result<std::unique_ptr<const Literals>> compile(std::vector<Literal> literals,
                                                                         std::vector<MaskedValue> values);

    [[nodiscard]] const MaskedValue& value_of(const Literal& literal) const { return values_[literal.value]; }

    [[nodiscard]] const LiteralTable& exact() const { return exact_; }
    [[nodiscard]] const LiteralTable& any_case() const { return any_case_; }
    [[nodiscard]] std::size_t longest() const { return std::max(exact_.longest(), any_case_.longest()); }

    /// Bytes of the shortest literal that is also found where gaps cut it.
    static constexpr std::size_t least_to_join = 4;
    [[nodiscard]] const JoinFilter& joins() const { return joins_; }

  private:
    friend class Finder;
    Literals(std::vector<Literal> exact, std::vector<Literal> any_case)
        : exact_(std::move(exact)), any_case_(std::move(any_case), true), joins_(exact_, any_case_, least_to_join) {}

    LiteralTable exact_;
    LiteralTable any_case_;
    JoinFilter joins_;
    std::vector<MaskedValue> values_;
    /// Of the exact literals first, then of the others.
    std::unique_ptr<const PatternDatabase> anchors_;
    std::size_t exact_anchors_ = 0;
    /// The heads of the long ones, likewise; null if there are none.
    std::unique_ptr<const PatternDatabase> heads_;
    std::size_t exact_heads_ = 0;
};

/// A literal in a text. It belongs to the Literals.
struct Match {
    std::size_t begin;
    std::size_t end;
    const Literal* literal;
};

/// What makes the beginning of a text open: most often the next bytes go on with the same literal.
struct OpenLiteral {
    const LiteralTable* table = nullptr;  ///< null if nothing is known
    LiteralPrefix prefix;
};

/// Searches texts for literals, one text at a time.
class Finder {
  public:
    /// `literals` outlives this object.
    explicit Finder(const Literals& literals);

    /// Puts into `matches`, in the order of their ends, what ends behind the first `scanned` bytes of `text`, which
    /// have been searched: of all that ends at one place the longest, since that contains the others.
    void find(std::string_view text, std::size_t scanned, std::vector<Match>& matches);

    /// The earliest position where the rest of `text` is a proper prefix of a literal; the text's size if there is
    /// none.
    /// Literals shorter than `least` bytes don't count. `begin`: what was found for the text as it was before more was
    /// appended to it or, if that was not 0, its first bytes taken away; is brought up to date.
    [[nodiscard]] std::size_t first_open(std::string_view text, std::size_t scanned, OpenLiteral& begin,
                                         std::size_t least = 0);
    [[nodiscard]] std::size_t first_open(std::string_view text, std::size_t least);

    /// How many bytes of a literal of at least `least` bytes may be shown while nobody knows whether it goes on behind
    /// `rest`, with which it begins: min(3, a quarter of its bytes); SIZE_MAX if there is no such literal.
    [[nodiscard]] std::size_t showable(std::string_view rest, std::size_t least) const;

  private:
    void find_few(std::string_view text, std::size_t scanned, std::vector<Match>& matches) const;
    [[nodiscard]] std::size_t first_open_in(const LiteralTable& table, std::string_view text, std::size_t scanned,
                                            std::size_t least, std::uint32_t& literal, LiteralPrefix* prefix);
    [[nodiscard]] std::size_t first_long_open(const LiteralTable& table, std::string_view text, std::size_t begin,
                                              std::size_t end, std::uint32_t& literal);

    const Literals& literals_;
    PatternDatabase::Scratch scratch_;
    std::optional<PatternDatabase::Scratch> heads_scratch_;
};

}  // namespace trebuchet
