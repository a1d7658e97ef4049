#pragma once

#include "agent/config/config.hpp"
#include "common/base/result.hpp"

namespace trebuchet {

/// The configuration's mask options with compiled credential patterns. Compiling takes 16 ms, so call it once per
/// configuration. `former`: an earlier configuration whose patterns are reused if they are the same; may be null.
[[nodiscard]] Result<MaskOptions> mask_options(const TrebuchetConfig& config, const TrebuchetConfig* former = nullptr);

}  // namespace trebuchet
