#include "tests/labserver/faults/hostile_json.hpp"

namespace trebuchet::labserver {
namespace {

constexpr std::string_view kept = "job_id";

/// The object with an additional first field, whose value need not be valid JSON.
std::string with_field(const Json& object, const std::string& value) {
    return "{\"a_hostile\":" + value + "," + to_text(object).substr(1);
}

/// Appends a NUL to each string.
void add_nul(Json& value) {
    if (value.is_string()) value.get_ref<std::string&>().push_back('\0');
    if (!value.is_structured()) return;
    for (auto& [key, part] : value.items()) {
        if (key != kept) add_nul(part);
    }
}

Json of_another_type(const Json& value) {
    if (value.is_string()) return Json::array({value});
    if (value.is_object()) return 7;
    if (value.is_array()) return Json::object({{"0", nullptr}});
    if (value.is_number()) return "seven";
    return -1.5;
}

}  // namespace

std::optional<std::string> hostile_json(std::string_view body, const Fault& fault) {
    auto object = parse_json(body);
    if (!object || !object->is_object() || object->empty()) return std::nullopt;
    const auto size = static_cast<std::size_t>(fault.value);
    switch (fault.kind) {
        case FaultKind::huge_json:
            return with_field(*object, '"' + std::string(size, 'x') + '"');
        case FaultKind::deep_json:
            return with_field(*object, std::string(size, '[') + std::string(size, ']'));
        case FaultKind::invalid_utf8:
            return with_field(*object, "\"\xff\xc3\xed\xa0\x80\"");
        case FaultKind::nul_json:
            add_nul(*object);
            return to_text(*object);
        default:
            for (auto& [key, value] : object->items()) {
                if (key != kept) value = of_another_type(value);
            }
            return to_text(*object);
    }
}

}  // namespace trebuchet::labserver
