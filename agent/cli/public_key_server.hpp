#pragma once

#include "agent/config/config.hpp"
#include "common/base/result.hpp"
#include "common/sealed_value/key_folder.hpp"

#include <string>

namespace trebuchet {

/// Asks the configuration's server for the public key (PEM), signed in as the configuration says:
/// GET /v1/secrets/public-key?repository=…&user=…  Waits half a minute at most. Runs a loop of its own.
[[nodiscard]] Result<std::string> public_key_of_server(const Config& config, const KeyOwner& owner);

}  // namespace trebuchet
