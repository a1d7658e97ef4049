#pragma once

#include "common/mask/literal_table.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace trebuchet {

/// Knows which bytes follow each other in literals: tells for those on both sides of a gap whether a literal may go on
/// from one side to the other. Says "no" for certain, and "maybe" else.
class JoinFilter {
  public:
    /// Of the literals of at least `least` bytes, which is 4 or more.
    JoinFilter(const LiteralTable& exact, const LiteralTable& any_case, std::size_t least);

    /// `left` ends at the gap: its last two bytes count, or the only one if a literal that goes on begins with it.
    /// `right` are the two bytes behind it.
    [[nodiscard]] bool may_join(std::string_view left, char right, char further) const {
        return has_pair(left.back(), right) && has_all(left, right, further);
    }

    /// Whether a literal may hold the last four bytes of `text`, which is not shorter. `any_case`: one of those that
    /// are found with their letters in either case.
    [[nodiscard]] bool may_hold_end(std::string_view text, bool any_case) const;

  private:
    enum class Where : std::uint64_t { middle, first, last };

    [[nodiscard]] bool has_pair(char left, char right) const {
        const auto pair = std::size_t{static_cast<unsigned char>(left)} << 8U | static_cast<unsigned char>(right);
        return (pairs_.data()[pair / 64] >> (pair % 64) & 1U) != 0;
    }
    [[nodiscard]] bool has_all(std::string_view left, char right, char further) const;
    void add_pair(char left, char right);

    [[nodiscard]] bool may_join(Where where, char before, char left, char right, char further) const;
    [[nodiscard]] bool may_join_in(char before, bool has_before, char left, char right, char further) const;
    void add(std::string_view literal, bool any_case);
    void add(Where where, char before, char left, char right, char further);

    using Words = std::vector<std::uint64_t, WipingAllocator<std::uint64_t>>;

    /// A bit for each two bytes that follow each other in a literal: most gaps need no more.
    Words pairs_ = Words(65536 / 64);
    Words words_;
    unsigned shift_ = 0;
    bool any_case_ = false;
};

}  // namespace trebuchet
