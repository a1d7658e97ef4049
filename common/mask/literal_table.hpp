#pragma once

#include "common/mask/form.hpp"
#include "common/secret/secret_string.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace trebuchet {

/// Bytes to look for.
struct Literal {
    SecretString bytes;
    std::uint32_t value;  ///< index of the value of which they are a form
    Form form = Form::exact;
    /// Found with its letters in either case; the bytes have them in lower case.
    bool any_case = false;
};

/// A literal with which a text begins, as far as is known.
struct LiteralPrefix {
    std::uint32_t literal = UINT32_MAX;
    std::size_t known = 0;  ///< so many bytes of the text are the literal's first ones
    /// Of a literal that goes on like itself: how many of its bytes from `shift` on are its first ones.
    std::size_t shift = 0;
    std::size_t overlap = 0;
};

/// The literals of a set, laid out for the two questions that a stream asks: which literal ends here, and could one be
/// beginning here?
class LiteralTable {
  public:
    /// A matcher is given no more of a literal than its last bytes, the anchor: a library's compiler leaves copies of
    /// what it is given in memory that nobody wipes, and longer ones are found no faster.
    static constexpr std::size_t anchor_size = 8;
    /// The same where there are thousands of literals: compiling takes half the time (measured), searching a little
    /// more.
    static constexpr std::size_t anchor_size_of_many = 6;
    static constexpr std::size_t many = 4096;

    /// None empty; of those with the same bytes the first counts. `any_case` is that of all of them.
    explicit LiteralTable(std::vector<Literal> literals, bool any_case = false);

    /// What a matcher has to look for: wherever a literal ends, one of these ends, and never two. They point into this
    /// table.
    [[nodiscard]] std::vector<std::string_view> anchors() const;

    /// Bytes of the longest literal; 0 if there is none.
    [[nodiscard]] std::size_t longest() const { return longest_; }

    [[nodiscard]] std::size_t size() const { return literals_.size(); }
    [[nodiscard]] bool any_case() const { return any_case_; }
    [[nodiscard]] std::string_view bytes(std::uint32_t literal) const { return literals_[literal].bytes.reveal(); }
    [[nodiscard]] const Literal& literal(std::uint32_t literal) const { return literals_[literal]; }

    static constexpr std::uint32_t none = UINT32_MAX;

    /// The longest literal that `text`, which ends with that anchor, ends with; `none` if there is none.
    [[nodiscard]] std::uint32_t longest_at_end(std::string_view text, std::uint32_t anchor) const;

    /// The same without a matcher's help: for a few bytes this is faster.
    [[nodiscard]] std::uint32_t longest_at_end(std::string_view text) const;

    /// Literals longer than this are found at the end of a text by their heads.
    static constexpr std::size_t long_size = 512;
    static constexpr std::size_t head_size = 16;

    /// The distinct first head_size bytes of the literals longer than long_size. They point into this table.
    [[nodiscard]] std::vector<std::string_view> heads() const;

    /// Whether a literal of at least `least` bytes begins with `rest` and is longer.
    [[nodiscard]] bool is_open(std::string_view rest, std::size_t least = 0) const {
        return open_literal(rest, least) != none;
    }
    /// One of those; `none` if there is none.
    [[nodiscard]] std::uint32_t open_literal(std::string_view rest, std::size_t least) const;

    /// Bytes of the shortest literal, of at least `least` bytes, that begins with `rest` and is longer; 0 if there is
    /// none.
    [[nodiscard]] std::size_t shortest_open(std::string_view rest, std::size_t least) const;

    /// Whether `literal` begins with `text` and is longer, given that it begins with the first `known` bytes of it.
    [[nodiscard]] bool goes_on(std::uint32_t literal, std::string_view text, std::size_t known) const;

    /// Where the end of `text` begins, not before `from`, that has no other bytes than literals have.
    [[nodiscard]] std::size_t alphabet_begin(std::string_view text, std::size_t from) const;

    /// The earliest position, from `from` to before `until`, where the rest of `text` is open, for a literal of
    /// at least `least` bytes, of which `literal` is to be one, or `none` where it would have to be looked for; `until`
    /// if there is none. `prefix`: what is known of the text's beginning spares comparing it again; null: nothing.
    [[nodiscard]] std::size_t first_open(std::string_view text, std::size_t from, std::size_t until,
                                         std::size_t least = 0, std::uint32_t* literal = nullptr,
                                         LiteralPrefix* prefix = nullptr) const;

  private:
    /// A range of backwards_: the literals that end with one anchor.
    struct Group {
        std::uint32_t begin;
        std::uint32_t end;
        std::size_t anchor_size;
    };

    [[nodiscard]] std::optional<bool> is_open_beside(const LiteralPrefix& prefix, std::string_view text) const;
    [[nodiscard]] bool goes_on_shifted(LiteralPrefix& prefix, std::string_view text, std::size_t shift) const;
    [[nodiscard]] bool begins_longer(std::string_view rest) const;

    /// A set of hashes of three or four bytes: says "no" for certain, and "maybe" else.
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

    /// A bit for each two bytes.
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

    /// Not zero for the bytes that are in it.
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
    /// Sorted by their bytes.
    std::vector<Literal> literals_;
    /// The literals sorted by their bytes read backwards.
    std::vector<std::uint32_t> backwards_;
    /// For each place in backwards_ that of the longest other literal which that one ends with.
    std::vector<std::uint32_t> suffix_;
    std::vector<Group> groups_;
    std::size_t longest_ = 0;
    /// What literals consist of.
    ByteSet alphabet_ = ByteSet(256);
    /// How literals begin: the first byte, and the first two, three and four, of those that are
    /// longer than that.
    ByteSet first_byte_ = ByteSet(256);
    PairSet first_pair_;
    Filter first_bytes_;
    /// How they end: the last four bytes, but of those that are shorter the last one.
    ByteSet last_byte_ = ByteSet(256);
    Filter last_bytes_;
};

}  // namespace trebuchet
