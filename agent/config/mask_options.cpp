#include "agent/config/mask_options.hpp"

#include "common/mask/credential_patterns.hpp"

#include <utility>

namespace trebuchet {

Result<MaskOptions> mask_options(const TrebuchetConfig& config, const TrebuchetConfig* former) {
    auto options = config.mask;
    if (former != nullptr && former->mask_credentials_off == config.mask_credentials_off) {
        options.credentials = former->mask.credentials;
        return options;
    }
    // Each job replaces the key of these masks by its own.
    auto patterns =
        CredentialPatterns::build(config.mask_credentials_off, std::make_shared<const MaskText>(config.mask.hash));
    if (!patterns) return fail(patterns.error());
    options.credentials = std::move(*patterns);
    return options;
}

}  // namespace trebuchet
