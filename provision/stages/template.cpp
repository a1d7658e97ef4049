#include "provision/stages/template.hpp"

namespace trebuchet {

bool is_template(std::string_view text) {
    return text.find("{{") != std::string_view::npos;
}

std::string fill_template(std::string_view text, const std::map<std::string, std::string>& values) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const auto plain = text.substr(0, text.find_first_of("{}"));
        out += plain;
        text.remove_prefix(plain.size());
        if (text.empty()) break;

        if (text.starts_with("{{") || text.starts_with("}}")) {
            out += text.front();
            text.remove_prefix(2);
            continue;
        }
        const auto end = text.find_first_of("{}", 1);
        if (text.front() == '}' || end == std::string_view::npos || text[end] == '{') {
            out += text.front();
            text.remove_prefix(1);
            continue;
        }
        const auto value = values.find(std::string(text.substr(1, end - 1)));
        out += value == values.end() ? text.substr(0, end + 1) : std::string_view(value->second);
        text.remove_prefix(end + 1);
    }
    return out;
}

}  // namespace trebuchet
