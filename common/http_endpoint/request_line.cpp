#include "common/http_endpoint/request_line.hpp"

namespace trebuchet {

std::optional<RequestLine> parse_request_line(std::string_view head) {
    const auto line = head.substr(0, head.find("\r\n"));
    const auto after_method = line.find(' ');
    const auto after_target = line.rfind(' ');
    if (after_method == 0 || after_method == after_target || after_target == std::string_view::npos) {
        return std::nullopt;
    }
    if (!line.substr(after_target + 1).starts_with("HTTP/1.")) return std::nullopt;
    const auto target = line.substr(after_method + 1, after_target - after_method - 1);
    return RequestLine{line.substr(0, after_method), target.substr(0, target.find('?'))};
}

}  // namespace trebuchet
