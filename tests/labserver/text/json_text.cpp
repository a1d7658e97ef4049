#include "tests/labserver/text/json_text.hpp"

#include <algorithm>

namespace trebuchet::labserver {
namespace {

/// Counted before parsing: copying and printing a Json recurse, so a deep one would overflow the stack.
int depth(std::string_view text) {
    int open = 0;
    int deepest = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            if (c == '\\') {
                ++i;
            } else if (c == '"') {
                in_string = false;
            }
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            deepest = std::max(deepest, ++open);
        } else if (c == ']' || c == '}') {
            --open;
        }
    }
    return deepest;
}

}  // namespace

Result<Json> parse_json(std::string_view text) {
    if (depth(text) > max_json_depth) {
        return fail("JSON nested deeper than " + std::to_string(max_json_depth) + " levels");
    }
    auto value = Json::parse(text.begin(), text.end(), nullptr, false);
    if (value.is_discarded()) return fail("not valid JSON in UTF-8");
    return value;
}

std::string to_text(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string string_at(const Json& object, const char* key) {
    if (!object.is_object()) return {};
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace trebuchet::labserver
