#pragma once

#include "common/mask/literal_table.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace trebuchet {

/// Tells whether a literal may continue across a gap, from the bytes on both sides of the gap: answers "no" or "maybe".
/// Algorithm: see join_filter.cpp.
class JoinFilter {
  public:
    /// Uses literals of at least `least` bytes; `least` must be at least 4.
    JoinFilter(const LiteralTable& exact, const LiteralTable& any_case, std::size_t least);

    /// `left`: the text before the gap, of which the last one or two bytes are used. `right`, `further`: the two bytes
    /// after the gap.
    [[nodiscard]] bool may_join(std::string_view left, char right, char further) const {
        return has_pair(left.back(), right) && has_all(left, right, further);
    }

    /// True if a literal of any length contains the two bytes next to each other.
    [[nodiscard]] bool may_hold_pair(char left, char right) const { return has_pair(left, right); }

    /// True if a literal may contain the last four bytes of `text`, which must have at least four. `any_case`: check
    /// the literals that match letters in either case.
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

    /// One bit for each pair of adjacent bytes in literals. Decides most gaps.
    Words pairs_ = Words(65536 / 64);
    Words words_;
    unsigned shift_ = 0;
    bool any_case_ = false;
};

}  // namespace trebuchet
