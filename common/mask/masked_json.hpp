#pragma once

#include "common/mask/mask_set.hpp"

#include <string>

#include <nlohmann/json.hpp>

namespace trebuchet {

/// JSON in which every key, string and number went through a masker; what is not UTF-8 is U+FFFD.
/// A number that holds a secret becomes a string.
class MaskedJson {
  public:
    /// An empty object.
    MaskedJson() : value_(nlohmann::json::object()) {}
    /// `counts`: as MaskSet::mask.
    MaskedJson(const MaskSet& set, const nlohmann::json& plain, MaskCounts* counts = nullptr);

    [[nodiscard]] const nlohmann::json& value() const { return value_; }

  private:
    nlohmann::json value_;
};

}  // namespace trebuchet
