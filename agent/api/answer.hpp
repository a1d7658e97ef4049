#pragma once

#include "common/base/result.hpp"
#include "common/http/http_client.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// "POST /v1/x", without the query: what a message calls a request.
[[nodiscard]] std::string name_of_call(const HttpRequest& request);

/// Whether this status says that what was sent is wrong, and will be the next time as well. 404 does not: the server
/// answers so to none of our posts, but a proxy does while the server behind it is away.
[[nodiscard]] constexpr bool is_final_refusal(int status) {
    return status == 400 || status == 413 || status == 415 || status == 422;
}

/// Masks what the body of an answer that is no success repeats of these values: such text gets into logs and comments.
void hide_in_refusal(HttpResult& answer, const std::vector<std::string_view>& credentials);

/// "the server answered 422 to POST /v1/x: …", with the start of the answer's body, masked as the agent's log is. Not
/// if a job with its secrets may stand in it.
[[nodiscard]] Error refusal(const std::string& call, const HttpResponse& answer);

}  // namespace trebuchet
