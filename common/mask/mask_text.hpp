#pragma once

#include "common/mask/mask_set.hpp"
#include "common/secret/secret_string.hpp"

#include <string>
#include <string_view>

namespace trebuchet {

/// Makes the mask of a value: two asterisks, six lower-case hex digits, two asterisks.
class MaskText {
  public:
    /// With MaskHash::keyed and a null `key`, makes a random key. Throws std::runtime_error if OpenSSL has no random
    /// bytes.
    explicit MaskText(MaskHash hash, const SecretString* key = nullptr);

    [[nodiscard]] std::string of(std::string_view value) const;

  private:
    /// Empty for MaskHash::sha256.
    WipedString key_;
};

}  // namespace trebuchet
