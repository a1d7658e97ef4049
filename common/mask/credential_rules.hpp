#pragma once

#include "common/mask/credential_kind.hpp"

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

namespace trebuchet {

/// A set of bytes.
class CharSet {
  public:
    /// Of the characters given, and of each range "a-z".
    constexpr explicit CharSet(std::string_view ranges) {
        for (std::size_t i = 0; i < ranges.size(); ++i) {
            const bool range = i + 2 < ranges.size() && ranges[i + 1] == '-';
            const auto last = static_cast<unsigned char>(ranges[range ? i + 2 : i]);
            for (unsigned c = static_cast<unsigned char>(ranges[i]); c <= last; ++c) member_.at(c) = true;
            if (range) i += 2;
        }
    }
    [[nodiscard]] constexpr bool has(char c) const { return member_[static_cast<unsigned char>(c)]; }

  private:
    std::array<bool, 256> member_{};
};

/// What follows a rule's pattern.
enum class CredentialShape : unsigned char {
    token,      ///< the longest run of some characters
    authority,  ///< the part of a URL in which a password may stand
    block,      ///< lines up to an end marker
};

/// How one sort of credential looks: a pattern that leads up to the value, and the shape of the value.
struct CredentialRule {
    CredentialKind kind;
    CredentialShape shape;
    /// For Hyperscan: matches at most longest_pattern bytes, no look-around. It must not be able to match twice within
    /// the run of characters that follows a match, or hostile text costs a square of its length.
    const char* pattern;
    bool any_case;
    /// How many bytes of the value the pattern ends with.
    std::size_t in_pattern;
    /// How many bytes in front of the value belong to the credential, such as "ghp_": they stay visible, and stand at
    /// the beginning of a word. 0: none do.
    std::size_t prefix;
    /// Of a token.
    const CharSet* characters;
    /// Of a longer value the first `most` bytes count.
    std::size_t most;
    /// Of a token: characters that don't belong to it if they are the last.
    std::string_view trailing;
    /// Of a token: whether the value may be one. Of a block: whether what stands in front of it leads up to one; null
    /// if the pattern says it all.
    bool (*plausible)(std::string_view text);
};

constexpr std::size_t longest_pattern = 48;

/// Bytes of a value that ends nowhere: what is behind them is let out.
constexpr std::size_t longest_credential = 60 * std::size_t{1024};

/// In front of a pattern's match a rule looks at so many bytes at most.
constexpr std::size_t longest_look_back = 48;

[[nodiscard]] const std::vector<CredentialRule>& credential_rules();

/// Whether a text is nothing but a mask: two asterisks, six lower-case hex digits, two asterisks.
[[nodiscard]] bool is_mask(std::string_view text);
constexpr std::size_t mask_size = 10;

}  // namespace trebuchet
