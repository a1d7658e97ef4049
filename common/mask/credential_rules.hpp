#pragma once

#include "common/mask/credential_kind.hpp"
#include "common/mask/pattern_database.hpp"

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

namespace trebuchet {

/// A set of bytes.
class CharSet {
  public:
    /// From characters and ranges such as "a-z".
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

/// The shape of a value after a rule's pattern.
enum class CredentialShape : unsigned char {
    token,      ///< the longest run of the rule's characters
    authority,  ///< the part of a URL that may contain a password
    block,      ///< lines up to an end marker
};

/// How to recognise one sort of credential: a pattern before the value, and the shape of the value.
struct CredentialRule {
    CredentialKind kind;
    CredentialShape shape;
    /// Hyperscan syntax, without look-around; matches at most longest_pattern bytes. It must not match again within the
    /// run of characters after a match, or hostile text takes quadratic time.
    const char* pattern;
    bool any_case;
    /// The last `in_pattern` bytes of the pattern are already part of the value.
    std::size_t in_pattern;
    /// Length of the visible text before the value, such as "ghp_", that belongs to the credential and must start a
    /// word. 0: none.
    std::size_t prefix;
    /// For a token: the characters of a value.
    const CharSet* characters;
    /// Maximum length of a value; of a longer one only the first `most` bytes are masked.
    std::size_t most;
    /// For a token: characters that are not part of the value if they are at its end.
    std::string_view trailing;
    /// For a token: checks the value. For a block: checks the text before it; null: no check.
    bool (*plausible)(std::string_view text);
};

constexpr std::size_t longest_pattern = 48;

/// Maximum length of a value without an end; the bytes after it are not masked.
constexpr std::size_t longest_credential = 60 * std::size_t{1024};

/// A rule looks at most this many bytes back before its pattern's match.
constexpr std::size_t longest_look_back = 48;

[[nodiscard]] const std::vector<CredentialRule>& credential_rules();

/// The rules' patterns, in their order.
[[nodiscard]] std::vector<PatternDatabase::Expression> expressions_of(const std::vector<const CredentialRule*>& rules);

/// True for a mask: two asterisks, six lower-case hex digits, two asterisks.
[[nodiscard]] bool is_mask(std::string_view text);
constexpr std::size_t mask_size = 10;

}  // namespace trebuchet
