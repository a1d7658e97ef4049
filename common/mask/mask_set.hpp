#pragma once

#include "common/base/result.hpp"
#include "common/mask/masked_chunk.hpp"
#include "common/secret/secret_string.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

class CredentialPatterns;
class MaskCounts;
class MaskText;

/// A value to mask, and its name for messages.
struct NamedSecret {
    std::string name;
    SecretString value;
};

/// How a mask's six hex digits are computed from the value.
enum class MaskHash {
    keyed,   ///< HMAC-SHA-256 with a random key per set: equal values look equal within a job; safe against guessing
    sha256,  ///< plain SHA-256, as in the reference agent: equal values look equal in all jobs
};

/// A random key for MaskHash::keyed. Throws std::runtime_error if OpenSSL has no random bytes.
[[nodiscard]] SecretString draw_mask_key();

struct MaskOptions {
    std::size_t min_length = 3;  ///< in bytes; shorter values are not masked, see MaskSet::too_short
    MaskHash hash = MaskHash::keyed;
    /// For MaskHash::keyed: the same key makes the same masks in another process. Null: a random key per set.
    std::shared_ptr<const SecretString> key = nullptr;
    /// Well-known credentials to mask without registration; null: none.
    std::shared_ptr<const CredentialPatterns> credentials = nullptr;
    /// Look into encoded text (view_search.hpp). Off only in tests of what finds values without that.
    bool views = true;
};

class MaskSet;

/// Converts to a set without values. It has no mask() of its own, so nobody can turn unmasked text into a MaskedChunk
/// with it by mistake.
class NoMasks {
  public:
    operator std::shared_ptr<const MaskSet>() const;  // NOLINT(*-explicit-*): it stands for that set
};

/// The values to mask, compiled for searching. Immutable and thread-safe. Each value is also masked, with the same
/// mask, without its surrounding blanks, line ends and quotes, and in all forms of secret_forms.hpp. A value that
/// consists only of blanks, line ends or a pair of quotes is not masked: that would only destroy the layout of the log.
class MaskSet {
  public:
    /// Ignores empty values. Fails only if the matcher cannot be compiled: then do not output anything.
    [[nodiscard]] static Result<std::shared_ptr<const MaskSet>> build(std::vector<NamedSecret> secrets,
                                                                      const MaskOptions& options = {});
    /// For callers that need a set but mask nothing: a Masker with it changes nothing.
    [[nodiscard]] static NoMasks none() { return {}; }

    /// Returns this set with more values. Existing values keep their masks.
    [[nodiscard]] Result<std::shared_ptr<const MaskSet>> with(std::vector<NamedSecret> more) const;

    ~MaskSet();
    MaskSet(const MaskSet&) = delete;
    MaskSet& operator=(const MaskSet&) = delete;

    /// Masks a complete text; for a stream use Masker. Counts masks in `counts`, if set.
    [[nodiscard]] MaskedChunk mask(std::string_view text, MaskCounts* counts = nullptr) const;

    /// Names of values that are shorter than min_length without their surrounding blanks and quotes; each once, without
    /// empty values. Such a value is masked only together with its blanks and quotes, or not at all.
    [[nodiscard]] const std::vector<std::string>& too_short() const;

    /// True if it changes nothing.
    [[nodiscard]] bool masks_nothing() const { return !matcher_ && !credentials_; }

    /// Length of the longest form of a value in bytes; 0 if there is none.
    [[nodiscard]] std::size_t longest() const;

    [[nodiscard]] bool holds(std::string_view value) const;
    /// True if the value would not be masked: without surrounding blanks and quotes it is shorter than min_length.
    [[nodiscard]] bool is_too_short(std::string_view value) const;

  private:
    friend class Masker;
    friend class NoMasks;
    class Matcher;
    MaskSet();
    [[nodiscard]] static Result<std::shared_ptr<const MaskSet>> make(std::vector<NamedSecret> secrets,
                                                                     const MaskOptions& options,
                                                                     std::shared_ptr<const MaskText> texts);

    MaskOptions options_;
    std::shared_ptr<const MaskText> texts_;
    std::vector<NamedSecret> secrets_;  ///< kept for with()
    std::shared_ptr<const CredentialPatterns> credentials_;
    std::unique_ptr<const Matcher> matcher_;
    std::vector<std::string> too_short_;
};

}  // namespace trebuchet
