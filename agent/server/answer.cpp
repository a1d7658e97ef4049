#include "agent/server/answer.hpp"

#include "common/base/text.hpp"

namespace trebuchet {

std::string name_of_call(const HttpRequest& request) {
    const auto* method = request.method == HttpRequest::Method::get ? "GET " : "POST ";
    return method + request.target.substr(0, request.target.find('?'));
}

Error refusal(const std::string& call, const HttpResponse& answer) {
    return Error("the server answered " + std::to_string(answer.status) + " to " + call + ": " +
                     trebuchet::quoted(answer.body, 200),
                 is_final_refusal(answer.status));
}

}  // namespace trebuchet
