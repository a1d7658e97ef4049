#include "agent/metrics/os_release.hpp"

#include <algorithm>

namespace trebuchet {
namespace {

constexpr std::size_t text_limit = 65536;
constexpr std::size_t value_limit = 64;

bool is_plain(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
}

std::string_view without_quotes(std::string_view value) {
    const bool quoted =
        value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front();
    return quoted ? value.substr(1, value.size() - 2) : value;
}

/// The value of the last assignment, as in a shell; "" if it has other characters than allowed.
std::string_view value_of(std::string_view text, std::string_view name) {
    std::string_view found;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        auto line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t'))
            line.remove_suffix(1);
        if (line.size() <= name.size() || !line.starts_with(name) || line[name.size()] != '=') continue;
        found = without_quotes(line.substr(name.size() + 1));
    }
    return found.size() <= value_limit && std::all_of(found.begin(), found.end(), is_plain) ? found
                                                                                            : std::string_view();
}

}  // namespace

std::string parse_os_release(std::string_view text) {
    text = text.substr(0, text_limit);
    const auto name = value_of(text, "VERSION_CODENAME");
    return std::string(name.empty() ? value_of(text, "VERSION_ID") : name);
}

}  // namespace trebuchet
