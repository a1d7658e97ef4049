#pragma once

#include "tests/labserver/net/wire.hpp"
#include "tests/labserver/text/json_text.hpp"

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace trebuchet::labserver {

/// One complete HTTP request.
struct Request {
    std::string method;
    std::string target;                          ///< as in the request line, not decoded, with the query
    std::map<std::string, std::string> headers;  ///< names in lower case
    std::string body;
    bool body_over_limit = false;  ///< the body was not read, because it is longer than this target accepts
    bool from_loopback = false;

    /// Returns "" if there is no such header. `name` is in lower case.
    [[nodiscard]] std::string_view header(const std::string& name) const;
    /// The cookie that POST /v1/agents/data set; "" if there is none.
    [[nodiscard]] std::string agent_name() const;
    /// Whether the content type is JSON. The real server ignores a body with another type.
    [[nodiscard]] bool says_json() const;
};

struct Response {
    int status = 200;
    std::string content_type = "text/html; charset=utf-8";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
    std::string client_id;               ///< the caller, if known: recorded, not sent
    std::function<void()> when_written;  ///< called just before the answer is written to the socket; may be empty
    std::optional<Wire> wire{};          ///< how the answer is sent, if not as plain HTTP
};

[[nodiscard]] Response json_answer(const Json& body, int status = 200);
[[nodiscard]] Response text_answer(std::string body, int status = 200);
[[nodiscard]] Response no_content();
/// An error in the real server's form: {"detail": …, "message": …}.
[[nodiscard]] Response problem(int status, std::string_view message, Json detail = Json::object());
/// 422. `location` is where the fields came from: "json" or "query".
[[nodiscard]] Response invalid(const char* location, Json errors);

/// Answers a request. Never throws, whatever a client sends. Not thread-safe.
class Handler {
  public:
    Handler() = default;
    Handler(const Handler&) = delete;
    Handler& operator=(const Handler&) = delete;
    virtual ~Handler() = default;
    [[nodiscard]] virtual Response handle(const Request& request) = 0;
};

}  // namespace trebuchet::labserver
