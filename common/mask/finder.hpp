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

/// A value's name, and the mask that replaces it.
struct MaskedValue {
    std::string name;
    std::string mask;
};

/// All literals of a set, compiled for searching. Immutable and thread-safe.
class Literals {
  public:
    /// If literals are equal, the first counts. Fails if the matcher cannot be compiled.
    [[nodiscard]] static Result<std::unique_ptr<const Literals>> compile(std::vector<Literal> literals,
                                                                         std::vector<MaskedValue> values);

    [[nodiscard]] const MaskedValue& value_of(const Literal& literal) const { return values_[literal.value]; }

    [[nodiscard]] const LiteralTable& exact() const { return exact_; }
    [[nodiscard]] const LiteralTable& any_case() const { return any_case_; }
    [[nodiscard]] std::size_t longest() const { return std::max(exact_.longest(), any_case_.longest()); }

    /// In bytes; shorter literals are not found if gaps interrupt them.
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
    /// Anchors of the exact literals, then of the others.
    std::unique_ptr<const PatternDatabase> anchors_;
    std::size_t exact_anchors_ = 0;
    /// Heads of the long literals, in the same order; null if there are none.
    std::unique_ptr<const PatternDatabase> heads_;
    std::size_t exact_heads_ = 0;
};

/// An occurrence of a literal in a text. `literal` is owned by the Literals.
struct Match {
    std::size_t begin;
    std::size_t end;
    const Literal* literal;
};

/// What is known about the literal that a text may begin with. Usually the next bytes continue the same literal.
struct OpenLiteral {
    const LiteralTable* table = nullptr;  ///< null: nothing is known
    LiteralPrefix prefix;
};

/// Searches texts for literals, one text at a time.
class Finder {
  public:
    /// `literals` must outlive this object.
    explicit Finder(const Literals& literals);

    /// Finds literals that end after the first `scanned` bytes of `text`, which are already searched. Sets `matches`,
    /// ordered by end. Of several literals with the same end it reports the longest, which contains the others.
    void find(std::string_view text, std::size_t scanned, std::vector<Match>& matches);

    /// The first open position: the rest of `text` is a proper prefix of a literal of at least `least` bytes. The
    /// text's size if there is none. `begin` keeps what is known about the literal at that position: pass the same
    /// object again after bytes were appended, and after the bytes before that position were removed.
    [[nodiscard]] std::size_t first_open(std::string_view text, std::size_t scanned, OpenLiteral& begin,
                                         std::size_t least = 0);
    [[nodiscard]] std::size_t first_open(std::string_view text, std::size_t least);

    /// How many bytes of `rest` may be shown although it may be the start of a literal of at least `least` bytes: 3, or
    /// a quarter of the literal if that is less. SIZE_MAX if no literal begins with `rest`.
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
