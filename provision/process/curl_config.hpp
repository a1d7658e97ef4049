#pragma once

#include "common/base/result.hpp"
#include "common/secret/secret_string.hpp"

#include <string>
#include <string_view>

namespace trebuchet {

/// What `curl -K -` reads from its stdin to take this URL, so that credentials in it stand in no command line.
[[nodiscard]] Result<WipedString> curl_config(std::string_view url);

/// A URL for people: without credentials, query and fragment, which may be secret.
[[nodiscard]] std::string shown_url(std::string_view url);

}  // namespace trebuchet
