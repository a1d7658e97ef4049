#pragma once

#include "common/mask/mask_set.hpp"

#include <string>

#include <nlohmann/json.hpp>

namespace trebuchet {

/// JSON with all keys, strings and numbers masked. Invalid UTF-8 becomes U+FFFD. A number that contains a secret
/// becomes a string.
class MaskedJson {
  public:
    /// An empty object.
    MaskedJson() : value_(nlohmann::json::object()) {}
    /// `counts`: see MaskSet::mask.
    MaskedJson(const MaskSet& set, const nlohmann::json& plain, MaskCounts* counts = nullptr);

    [[nodiscard]] const nlohmann::json& value() const { return value_; }
    /// {"key": value}, indented by two, with a line end: a file's content.
    [[nodiscard]] MaskedChunk document(LiteralText key) const;

  private:
    nlohmann::json value_;
};

}  // namespace trebuchet
