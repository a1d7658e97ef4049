#pragma once

#include "common/secret/secret_string.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// Bytes to look for, and what to write in their place.
struct Literal {
    SecretString bytes;
    std::string mask;
};

/// The literals of a set, laid out for the two questions that a stream asks: which literal ends here, and could one be
/// beginning here?
class LiteralTable {
  public:
    /// Longest piece of a literal that a matcher is given to look for: its last bytes, the anchor.
    static constexpr std::size_t anchor_size = 32;

    /// None empty; of those with the same bytes the first counts.
    explicit LiteralTable(std::vector<Literal> literals);

    /// The distinct anchors. They point into this table.
    [[nodiscard]] std::vector<std::string_view> anchors() const;

    /// Bytes of the longest literal; 0 if there is none.
    [[nodiscard]] std::size_t longest() const { return longest_; }

    [[nodiscard]] std::size_t size() const { return literals_.size(); }
    [[nodiscard]] std::string_view bytes(std::uint32_t literal) const { return literals_[literal].bytes.reveal(); }
    [[nodiscard]] const std::string& mask(std::uint32_t literal) const { return literals_[literal].mask; }

    static constexpr std::uint32_t none = UINT32_MAX;

    /// The longest literal with that anchor whose whole is what `text` ends with. The text ends with the anchor.
    [[nodiscard]] std::uint32_t longest_at_end(std::string_view text, std::uint32_t anchor) const;

    /// The earliest position, from `from` on, where the rest of `text` is a proper prefix of a literal; the text's size
    /// if there is none.
    [[nodiscard]] std::size_t first_open(std::string_view text, std::size_t from) const;

  private:
    struct Group {
        std::uint32_t begin;
        std::uint32_t end;
    };

    void group_by_anchor();
    void fill_filters();
    [[nodiscard]] bool is_proper_prefix(std::string_view rest) const;

    /// Sorted by their bytes.
    std::vector<Literal> literals_;
    /// The literals sorted by their bytes read backwards; each group has one anchor.
    std::vector<std::uint32_t> backwards_;
    /// For each place in backwards_, the place in its group of the longest literal that is a proper suffix of that one.
    std::vector<std::uint32_t> suffix_;
    std::vector<Group> groups_;
    std::size_t longest_ = 0;
    /// What the first one byte and the first four bytes of literals longer than that can be (the latter hashed).
    std::array<bool, 256> first_byte_{};
    std::vector<std::uint64_t> first_four_;
};

}  // namespace trebuchet
