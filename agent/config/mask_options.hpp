#pragma once

#include "agent/config/config.hpp"
#include "common/base/result.hpp"

namespace trebuchet {

/// The configuration's mask options, with the patterns of well-known credentials compiled (16 ms: once per
/// configuration). `former`: of an earlier configuration, from which they are taken if they are the same; null: none.
[[nodiscard]] Result<MaskOptions> mask_options(const TrebuchetConfig& config, const TrebuchetConfig* former = nullptr);

}  // namespace trebuchet
