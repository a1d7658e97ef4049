#pragma once

#include "common/base/result.hpp"
#include "common/secret/secret_string.hpp"

#include <string>
#include <string_view>

namespace trebuchet {

/// Input for `curl -K -`: passes the URL on stdin, so that its credentials do not show in the process list.
[[nodiscard]] Result<WipedString> curl_config(std::string_view url);

/// A URL for messages: without credentials, query and fragment, which may be secret.
[[nodiscard]] std::string redacted_url(std::string_view url);

}  // namespace trebuchet
