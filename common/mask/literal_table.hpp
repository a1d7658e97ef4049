#pragma once

#include "common/mask/form.hpp"
#include "common/secret/secret_string.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace trebuchet {

/// A byte string to mask.
struct Literal {
    SecretString bytes;
    std::uint32_t value;  ///< index of the value that this is a form of
    Form form = Form::exact;
    /// Matches letters in either case; `bytes` has them in lower case.
    bool any_case = false;
};

/// What is known about a text that may be the start of a literal.
struct LiteralPrefix {
    std::uint32_t literal = UINT32_MAX;
    std::size_t known = 0;  ///< the first `known` bytes of both are equal
    /// Self-overlap of a repetitive literal: `overlap` bytes from `shift` on equal its first bytes.
    std::size_t shift = 0;
    std::size_t overlap = 0;
};

/// The literals of a set, prepared for two questions about a stream: which literal ends here, and may one begin here? A
/// position is "open" if the rest of the text is a proper prefix of a literal. Algorithm: see literal_table.cpp.
class LiteralTable {
  public:
    /// A matcher gets only the last bytes of a literal, its anchor, because a library's compiler leaves copies of its
    /// input in memory that nobody wipes. Longer anchors would not make the search faster.
    static constexpr std::size_t anchor_size = 8;
    /// Anchor size with at least `many` literals: halves the compile time (measured) and makes searching slightly
    /// slower.
    static constexpr std::size_t anchor_size_of_many = 6;
    static constexpr std::size_t many = 4096;

    /// `literals` must not be empty strings; of equal ones the first counts. `any_case` applies to all of them.
    explicit LiteralTable(std::vector<Literal> literals, bool any_case = false);

    /// What a matcher must search for. Wherever a literal ends, exactly one anchor ends. Views into this table.
    [[nodiscard]] std::vector<std::string_view> anchors() const;

    /// Length of the longest literal in bytes; 0 if there is none.
    [[nodiscard]] std::size_t longest() const { return longest_; }

    [[nodiscard]] std::size_t size() const { return literals_.size(); }
    [[nodiscard]] bool any_case() const { return any_case_; }
    [[nodiscard]] std::string_view bytes(std::uint32_t literal) const { return literals_[literal].bytes.reveal(); }
    [[nodiscard]] const Literal& literal(std::uint32_t literal) const { return literals_[literal]; }

    static constexpr std::uint32_t none = UINT32_MAX;

    /// The longest literal at the end of `text`, which must end with this anchor; `none` if there is none.
    [[nodiscard]] std::uint32_t longest_at_end(std::string_view text, std::uint32_t anchor) const;

    /// The same without a matcher; faster for a few bytes.
    [[nodiscard]] std::uint32_t longest_at_end(std::string_view text) const;

    /// For literals longer than this, open positions are found by their heads, with a matcher.
    static constexpr std::size_t long_size = 512;
    static constexpr std::size_t head_size = 16;

    /// The distinct first head_size bytes of the literals longer than long_size. Views into this table.
    [[nodiscard]] std::vector<std::string_view> heads() const;

    /// True if a literal of at least `least` bytes begins with `rest` and is longer.
    [[nodiscard]] bool is_open(std::string_view rest, std::size_t least = 0) const {
        return open_literal(rest, least) != none;
    }
    /// One of these literals; `none` if there is none.
    [[nodiscard]] std::uint32_t open_literal(std::string_view rest, std::size_t least) const;

    /// Length of the shortest of these literals; 0 if there is none.
    [[nodiscard]] std::size_t shortest_open(std::string_view rest, std::size_t least) const;

    /// True if `literal` begins with `text` and is longer. The first `known` bytes are known to be equal.
    [[nodiscard]] bool goes_on(std::uint32_t literal, std::string_view text, std::size_t known) const;

    /// The first position, at least `from`, from which `text` contains only bytes that occur in literals.
    [[nodiscard]] std::size_t alphabet_begin(std::string_view text, std::size_t from) const;

    /// The first open position in [`from`, `until`), for literals of at least `least` bytes; `until` if there is none.
    /// Sets `literal` to one that makes it open, or to `none` if that is not known. `prefix`: what is known about the
    /// beginning of `text`, to avoid comparing it again; may be null.
    [[nodiscard]] std::size_t first_open(std::string_view text, std::size_t from, std::size_t until,
                                         std::size_t least = 0, std::uint32_t* literal = nullptr,
                                         LiteralPrefix* prefix = nullptr) const;

  private:
    /// A range of backwards_: literals with the same anchor.
    struct Group {
        std::uint32_t begin;
        std::uint32_t end;
        std::size_t anchor_size;
    };

    [[nodiscard]] std::optional<bool> is_open_beside(const LiteralPrefix& prefix, std::string_view text) const;
    [[nodiscard]] bool goes_on_shifted(LiteralPrefix& prefix, std::string_view text, std::size_t shift) const;
    [[nodiscard]] bool begins_longer(std::string_view rest) const;

    /// A set of hashes of three or four bytes: answers "no" or "maybe".
    class Filter {
      public:
        explicit Filter(std::size_t count);
        template <std::size_t size>
        void add(const char* bytes);
        template <std::size_t size>
        [[nodiscard]] bool may_hold(const char* bytes) const;

      private:
        template <std::size_t size>
        [[nodiscard]] std::size_t hash(const char* bytes) const;
        unsigned hash_bits_;
        std::vector<std::uint64_t, WipingAllocator<std::uint64_t>> words_;
    };

    /// One bit for each pair of bytes.
    class PairSet {
      public:
        void add(const char* pair) { words_[index(pair) / 64] |= std::uint64_t{1} << (index(pair) % 64); }
        [[nodiscard]] bool has(const char* pair) const {
            return (words_.data()[index(pair) / 64] >> (index(pair) % 64) & 1U) != 0;
        }

      private:
        [[nodiscard]] static std::size_t index(const char* pair) {
            return std::size_t{static_cast<unsigned char>(pair[0])} << 8U | static_cast<unsigned char>(pair[1]);
        }
        std::vector<std::uint64_t, WipingAllocator<std::uint64_t>> words_ =
            std::vector<std::uint64_t, WipingAllocator<std::uint64_t>>(65536 / 64);
    };

    /// Non-zero for members.
    using ByteSet = std::vector<unsigned char, WipingAllocator<unsigned char>>;

    [[nodiscard]] std::uint32_t open_literal_near(std::uint32_t place, std::string_view rest, std::size_t least) const;
    [[nodiscard]] bool begins_with(std::uint32_t literal, std::string_view text) const;
    [[nodiscard]] std::string_view anchor_of(std::string_view literal) const;
    void group_by_anchor();
    void fill_filters();
    [[nodiscard]] std::uint32_t longest_in_group(std::string_view text, const Group& group) const;
    [[nodiscard]] char folded(char c) const {
        return any_case_ && c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    }

    bool any_case_;
    /// Sorted by bytes.
    std::vector<Literal> literals_;
    /// Indices of the literals, sorted by their reversed bytes.
    std::vector<std::uint32_t> backwards_;
    /// For each place in backwards_: the place of the longest other literal that is its suffix.
    std::vector<std::uint32_t> suffix_;
    std::vector<Group> groups_;
    std::size_t longest_ = 0;
    /// Bytes that occur in literals.
    ByteSet alphabet_ = ByteSet(256);
    /// The first one, two, three and four bytes of literals that are longer than that.
    ByteSet first_byte_ = ByteSet(256);
    PairSet first_pair_;
    Filter first_bytes_;
    /// The last four bytes of literals; the last byte of shorter ones.
    ByteSet last_byte_ = ByteSet(256);
    Filter last_bytes_;
};

}  // namespace trebuchet
