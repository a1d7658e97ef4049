#include "common/mask/masked_json.hpp"

#include "common/base/text.hpp"

namespace trebuchet {
namespace {

constexpr int max_depth = 200;

std::string masked_text(const MaskSet& set, std::string_view text) {
    return to_valid_utf8(set.mask(text).bytes());
}

nlohmann::json masked(const MaskSet& set, const nlohmann::json& plain, int depth);

nlohmann::json masked_object(const MaskSet& set, const nlohmann::json& plain, int depth) {
    auto object = nlohmann::json::object();
    for (const auto& [key, value] : plain.items()) {
        auto name = masked_text(set, key);
        while (object.contains(name)) name += '_';
        object[name] = masked(set, value, depth + 1);
    }
    return object;
}

nlohmann::json masked(const MaskSet& set, const nlohmann::json& plain, int depth) {
    if (plain.is_string()) return masked_text(set, plain.get_ref<const std::string&>());
    if (plain.is_number()) {
        const auto text = plain.dump();
        auto shown = masked_text(set, text);
        return shown == text ? plain : nlohmann::json(std::move(shown));
    }
    if (plain.is_binary()) {
        const auto& bytes = plain.get_binary();
        return masked_text(set, std::string(bytes.begin(), bytes.end()));
    }
    if (!plain.is_structured()) return plain;
    if (depth >= max_depth) return "(nested too deeply)";
    if (plain.is_object()) return masked_object(set, plain, depth);
    auto array = nlohmann::json::array();
    for (const auto& value : plain) array.push_back(masked(set, value, depth + 1));
    return array;
}

}  // namespace

MaskedJson::MaskedJson(const MaskSet& set, const nlohmann::json& plain) : value_(masked(set, plain, 0)) {}

}  // namespace trebuchet
