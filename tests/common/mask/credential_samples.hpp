#pragma once

#include "common/mask/credential_patterns.hpp"
#include "common/mask/credential_stream.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet::test {

/// Text around a credential. Scanners of source code would take whole ones for real: they are put together at run time.
struct CredentialSample {
    CredentialKind kind;
    std::string before;  ///< stays visible; includes what identifies the credential
    std::string prefix;  ///< stays visible; part of the mask's input
    std::string value;
    std::string behind;

    [[nodiscard]] std::string text() const { return before + prefix + value + behind; }
    [[nodiscard]] std::string masked(const MaskText& masks) const {
        return before + prefix + masks.of(prefix + value) + behind;
    }
};

/// Each kind in the places where logs show it.
[[nodiscard]] std::vector<CredentialSample> credential_samples();

/// What looks a little like a credential, and has to stay.
[[nodiscard]] std::vector<std::string> harmless_samples();

/// Plain SHA-256, so that what comes out can be foretold.
[[nodiscard]] std::shared_ptr<const MaskText> plain_masks();

/// All kinds, or all but those of `off`.
[[nodiscard]] std::shared_ptr<const CredentialPatterns> credential_patterns(const std::vector<std::string>& off = {});

/// The whole text in one call.
[[nodiscard]] std::string hide_credentials(std::string_view text);

}  // namespace trebuchet::test
