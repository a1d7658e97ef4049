#pragma once

#include "common/base/result.hpp"
#include "common/http/http_client.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// Names a request in messages: "POST /v1/x", without the query.
[[nodiscard]] std::string name_of_call(const HttpRequest& request);

/// True if the server would refuse the same request again. False for 404: the server never answers our posts with it,
/// but a proxy does while the server is down.
[[nodiscard]] constexpr bool is_final_refusal(int status) {
    return status == 400 || status == 413 || status == 415 || status == 422;
}

/// Masks these values in the body of an error answer, because that text goes into logs and comments.
void hide_in_refusal(HttpResult& answer, const std::vector<std::string_view>& credentials);

/// "the server answered 422 to POST /v1/x: …", with the start of the body, masked like the agent's log. Omits a body
/// that may contain a job with its secrets.
[[nodiscard]] Error refusal(const std::string& call, const HttpResponse& answer);

}  // namespace trebuchet
