#include "tests/labserver/net/message.hpp"

#include "tests/labserver/net/cookie.hpp"

#include <algorithm>
#include <cctype>

namespace trebuchet::labserver {

std::string_view Request::header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

std::string Request::agent_name() const {
    return cookie_value(header("cookie"), "agent_name");
}

bool Request::says_json() const {
    auto type = std::string(header("content-type"));
    type = type.substr(0, type.find(';'));
    type.erase(std::remove(type.begin(), type.end(), ' '), type.end());
    std::transform(type.begin(), type.end(), type.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return type == "application/json" || (type.starts_with("application/") && type.ends_with("+json"));
}

Response json_answer(const Json& body, int status) {
    Response response;
    response.status = status;
    response.content_type = "application/json";
    response.body = to_text(body) + "\n";
    return response;
}

Response text_answer(std::string body, int status) {
    Response response;
    response.status = status;
    response.body = std::move(body);
    return response;
}

Response no_content() {
    Response response;
    response.status = 204;
    return response;
}

Response problem(int status, std::string_view message, Json detail) {
    return json_answer({{"detail", std::move(detail)}, {"message", message}}, status);
}

Response invalid(const char* location, Json errors) {
    return problem(422, "Validation error", {{location, std::move(errors)}});
}

}  // namespace trebuchet::labserver
