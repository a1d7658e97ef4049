#pragma once

#include "common/base/result.hpp"
#include "common/http/http_client.hpp"

#include <string>

namespace trebuchet {

/// "POST /v1/x", without the query: what a message calls a request.
[[nodiscard]] std::string name_of_call(const HttpRequest& request);

/// "the server answered 422 to POST /v1/x: …", with the start of the answer's body.
[[nodiscard]] Error refusal(const std::string& call, const HttpResponse& answer);

}  // namespace trebuchet
