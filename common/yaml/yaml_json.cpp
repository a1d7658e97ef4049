#include "common/yaml/yaml_json.hpp"

#include "common/yaml/yaml_text.hpp"

#include <cmath>

namespace trebuchet {
namespace {

nlohmann::json integer_to_json(const YamlInteger& number) {
    if (const auto value = signed_value(number)) return *value;
    if (number.fits && !number.negative) return number.magnitude;
    return number.rounded;
}

nlohmann::json scalar_to_json(const YamlNode& node) {
    switch (node.type()) {
        case YamlType::null:
            return nullptr;
        case YamlType::boolean:
            return plain_boolean(node.text);
        case YamlType::integer:
            return integer_to_json(plain_integer(node.text));
        case YamlType::floating:
            if (const auto value = plain_floating(node.text); std::isfinite(value)) return value;
            return node.text;
        case YamlType::timestamp:
        case YamlType::string:
            return node.text;
    }
    return nullptr;
}

}  // namespace

nlohmann::json yaml_to_json(const YamlNode& node) {
    if (node.kind == YamlKind::sequence) {
        auto list = nlohmann::json::array();
        for (const auto& item : node.items) list.push_back(yaml_to_json(item));
        return list;
    }
    if (node.kind == YamlKind::map) {
        auto object = nlohmann::json::object();
        for (const auto& entry : node.entries) object[entry.key] = yaml_to_json(entry.value);
        return object;
    }
    return scalar_to_json(node);
}

}  // namespace trebuchet
