#pragma once

#include "common/base/result.hpp"
#include "common/mask/credential_kind.hpp"
#include "common/mask/mask_text.hpp"

#include <memory>
#include <string>
#include <vector>

namespace trebuchet {

class PatternDatabase;
struct CredentialRule;

/// The well-known credentials that are to be masked, compiled for searching (about 15 ms and 110 KB). Immutable: share
/// it between threads.
class CredentialPatterns {
  public:
    /// All kinds but those whose names are in `off`. Equal credentials get equal masks for as long as `masks` is the
    /// same. Fails on an unknown name, and if the patterns can't be compiled (then nothing may be let out).
    [[nodiscard]] static Result<std::shared_ptr<const CredentialPatterns>> build(const std::vector<std::string>& off,
                                                                                 std::shared_ptr<const MaskText> masks);

    /// The same with other masks: what was compiled is shared, so build() once and do this for each job.
    [[nodiscard]] std::shared_ptr<const CredentialPatterns> with(std::shared_ptr<const MaskText> masks) const;

    ~CredentialPatterns();
    CredentialPatterns(const CredentialPatterns&) = delete;
    CredentialPatterns& operator=(const CredentialPatterns&) = delete;

  private:
    friend class CredentialStream;
    CredentialPatterns();

    std::vector<const CredentialRule*> rules_;
    /// Null if every kind is off.
    std::shared_ptr<const PatternDatabase> matcher_;
    std::shared_ptr<const MaskText> masks_;
};

}  // namespace trebuchet
