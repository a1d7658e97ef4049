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

/// A value to mask and the name by which people may speak of it.
struct NamedSecret {
    std::string name;
    SecretString value;
};

/// How a mask's six hex digits are made from the value.
enum class MaskHash {
    keyed,  ///< HMAC-SHA-256 under a random key per set: equal values look equal within a job, nobody can guess offline
    sha256,  ///< plain SHA-256, as the reference agent does: equal across jobs
};

/// A key for MaskHash::keyed. Throws std::runtime_error if OpenSSL has no random bytes.
[[nodiscard]] SecretString draw_mask_key();

struct MaskOptions {
    std::size_t min_length = 3;  ///< in bytes; shorter values are not masked, see MaskSet::too_short
    MaskHash hash = MaskHash::keyed;
    /// For MaskHash::keyed, so that another process masks the same; null: a random one for each set.
    std::shared_ptr<const SecretString> key = nullptr;
    /// Well-known credentials that are masked although nobody registered them; null: none.
    std::shared_ptr<const CredentialPatterns> credentials = nullptr;
};

/// The values of one job, compiled for searching. Immutable: share it between threads.
/// A value is also masked, with the same mask, where it stands without the blanks, line ends and quotes around it, and
/// in every other form of secret_forms.hpp. One of nothing but blanks, line ends or a pair of quotes is not masked:
/// that would hide the log's layout and no secret.
class MaskSet {
  public:
    /// Empty values are left out. Fails only if the matcher can't be compiled (then nothing may be let out).
    [[nodiscard]] static Result<std::shared_ptr<const MaskSet>> build(std::vector<NamedSecret> secrets,
                                                                      const MaskOptions& options = {});
    /// A set without values: what it masks comes out unchanged.
    [[nodiscard]] static std::shared_ptr<const MaskSet> none();

    /// The same and more: what both mask has the same masks.
    [[nodiscard]] Result<std::shared_ptr<const MaskSet>> with(std::vector<NamedSecret> more) const;

    ~MaskSet();
    MaskSet(const MaskSet&) = delete;
    MaskSet& operator=(const MaskSet&) = delete;

    /// Masks a text that is whole; a stream goes through Masker. `counts`: each mask is counted there; null: nowhere.
    [[nodiscard]] MaskedChunk mask(std::string_view text, MaskCounts* counts = nullptr) const;

    /// Names, each once, of the values that are not empty and, without the blanks and quotes around them, shorter than
    /// min_length: they are not masked, or only where they stand with those.
    [[nodiscard]] const std::vector<std::string>& too_short() const;

    /// Whether all that it masks comes out unchanged.
    [[nodiscard]] bool masks_nothing() const { return !matcher_ && !credentials_; }

    /// Bytes of the longest form of a value; 0 if there is none.
    [[nodiscard]] std::size_t longest() const;

    [[nodiscard]] bool holds(std::string_view value) const;
    /// Whether it would not be masked, being shorter than min_length without the blanks and quotes around it.
    [[nodiscard]] bool is_too_short(std::string_view value) const;

  private:
    friend class Masker;
    class Matcher;
    MaskSet();
    [[nodiscard]] static Result<std::shared_ptr<const MaskSet>> make(std::vector<NamedSecret> secrets,
                                                                     const MaskOptions& options,
                                                                     std::shared_ptr<const MaskText> texts);

    MaskOptions options_;
    std::shared_ptr<const MaskText> texts_;
    std::vector<NamedSecret> secrets_;  ///< for with()
    std::shared_ptr<const CredentialPatterns> credentials_;
    std::unique_ptr<const Matcher> matcher_;
    std::vector<std::string> too_short_;
};

}  // namespace trebuchet
