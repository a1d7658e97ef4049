#include "common/yaml/yaml.hpp"

#include "common/base/text.hpp"
#include "common/yaml/yaml_text.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace trebuchet {
namespace {

/// Escapes the text like quoted(), but without quotes around it.
std::string bare(const std::string& text) {
    auto shown = trebuchet::quoted(text);
    shown.erase(0, 1);
    shown.erase(shown.rfind('"'), 1);
    return shown;
}

}  // namespace

std::string YamlProblem::message(std::string_view file) const {
    std::string where(file);
    if (at.line > 0) where += ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
    return where + ": " + text;
}

const YamlNode* YamlNode::find(std::string_view key) const {
    const auto entry = std::find_if(entries.begin(), entries.end(), [key](const auto& e) { return e.key == key; });
    return entry == entries.end() ? nullptr : &entry->value;
}

YamlType YamlNode::type() const {
    if (kind == YamlKind::null) return YamlType::null;
    return kind == YamlKind::scalar && !was_quoted ? plain_scalar_type(text) : YamlType::string;
}

std::string YamlNode::found() const {
    switch (kind) {
        case YamlKind::null:
            return "nothing";
        case YamlKind::sequence:
            return "a list";
        case YamlKind::map:
            return "a map";
        case YamlKind::scalar:
            break;
    }
    switch (type()) {
        case YamlType::null:
            return "nothing";
        case YamlType::boolean:
            return "the boolean " + bare(text);
        case YamlType::integer:
        case YamlType::floating:
            return "the number " + bare(text);
        case YamlType::timestamp:
            return "the date " + bare(text);
        case YamlType::string:
            break;
    }
    const bool looks_otherwise = was_quoted && !text.empty() && plain_scalar_type(text) != YamlType::string;
    return trebuchet::quoted(text) + (looks_otherwise ? " in quotes" : "");
}

YamlProblem YamlNode::expected(std::string_view what) const {
    return {at, "found " + found() + ", expected " + std::string(what)};
}

YamlResult<std::string> YamlNode::as_string() const {
    if (kind != YamlKind::scalar || type() == YamlType::null) return tl::unexpected(expected("a string"));
    if (text.find('\0') != std::string::npos) return tl::unexpected(expected("a string without a zero byte"));
    return text;
}

YamlResult<std::vector<std::string>> YamlNode::as_string_list() const {
    if (kind != YamlKind::sequence) return tl::unexpected(expected("a list of strings"));
    std::vector<std::string> list;
    for (const auto& item : items) {
        auto text_of_item = item.as_string();
        if (!text_of_item) return tl::unexpected(std::move(text_of_item.error()));
        list.push_back(std::move(*text_of_item));
    }
    return list;
}

YamlResult<std::int64_t> YamlNode::as_int() const {
    if (type() != YamlType::integer) return tl::unexpected(expected("a whole number"));
    const auto value = signed_value(plain_integer(text));
    if (!value) return tl::unexpected(expected("a whole number of at most 64 bits"));
    return *value;
}

YamlResult<double> YamlNode::as_number() const {
    if (type() == YamlType::integer) return plain_integer(text).rounded;
    if (type() == YamlType::floating) {
        if (const auto value = plain_floating(text); std::isfinite(value)) return value;
    }
    return tl::unexpected(expected("a number"));
}

YamlResult<bool> YamlNode::as_bool() const {
    if (type() != YamlType::boolean) return tl::unexpected(expected("true or false"));
    return plain_boolean(text);
}

YamlResult<std::chrono::milliseconds> YamlNode::as_seconds() const {
    constexpr double most = 1e9;
    const auto number = as_number();
    if (!number || *number < 0 || *number > most) {
        return tl::unexpected(expected("a number of seconds from 0 to 1000000000"));
    }
    return std::chrono::milliseconds(std::llround(*number * 1000));
}

}  // namespace trebuchet
