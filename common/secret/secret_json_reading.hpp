#pragma once

#include "common/secret/secret_json.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// What a document says beside its value. If an object has a key more than once, the last counts, also for the members
/// of an object: nothing is merged.
struct SecretJsonReading {
    /// Is told of each value that is neither an object nor a list, also of those that do not count. `keys`: of the
    /// objects around it, from the outermost on; "" for a list.
    std::function<void(const std::vector<WipedString>& keys, const SecretJson& value)> on_value;
    bool has_duplicate_keys = false;
};

/// As parse_secret_json, with more to tell.
[[nodiscard]] Result<SecretJson> parse_secret_json(std::string_view text, const std::string& name,
                                                   SecretJsonReading& reading);

}  // namespace trebuchet
