#pragma once

#include "agent/api/token_source.hpp"
#include "agent/config/config.hpp"
#include "common/base/result.hpp"
#include "common/http/http_client.hpp"

#include <filesystem>
#include <memory>

namespace trebuchet {

/// How to connect to the configuration's server.
[[nodiscard]] HttpOptions http_options(const Config& config);

/// How to log in there. Fails if there is a client_id without a key.
[[nodiscard]] Result<Credentials> credentials_of(const Config& config, const std::filesystem::path& token_file,
                                                 std::shared_ptr<OwnSecrets> own);

}  // namespace trebuchet
