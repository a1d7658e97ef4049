#pragma once

#include "common/mask/mask_set.hpp"

#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace trebuchet {

[[nodiscard]] inline std::shared_ptr<const MaskSet> masks_of(const std::vector<std::string>& values,
                                                             std::size_t min_length = 3) {
    std::vector<NamedSecret> secrets;
    secrets.reserve(values.size());
    for (const auto& value : values) secrets.push_back({"NAME", SecretString(value)});
    auto set = MaskSet::build(std::move(secrets), {min_length, MaskHash::sha256});
    if (!set) throw std::runtime_error(set.error().message());
    return *set;
}

/// What `value` becomes.
[[nodiscard]] inline std::string mask_of(const MaskSet& masks, const std::string& value) {
    return std::string(masks.mask(value).bytes());
}

}  // namespace trebuchet
