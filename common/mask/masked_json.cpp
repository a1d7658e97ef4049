#include "common/mask/masked_json.hpp"

#include "common/base/text.hpp"

namespace trebuchet {
namespace {

constexpr int max_depth = 200;

/// How to mask.
struct Masking {
    const MaskSet& set;
    MaskCounts* counts;
};

std::string masked_text(const Masking& masking, std::string_view text) {
    return to_valid_utf8(masking.set.mask(text, masking.counts).bytes());
}

nlohmann::json masked(const Masking& masking, const nlohmann::json& plain, int depth);

nlohmann::json masked_object(const Masking& masking, const nlohmann::json& plain, int depth) {
    auto object = nlohmann::json::object();
    for (const auto& [key, value] : plain.items()) {
        auto name = masked_text(masking, key);
        while (object.contains(name)) name += '_';
        object[name] = masked(masking, value, depth + 1);
    }
    return object;
}

nlohmann::json masked(const Masking& masking, const nlohmann::json& plain, int depth) {
    if (plain.is_string()) return masked_text(masking, plain.get_ref<const std::string&>());
    if (plain.is_number()) {
        const auto text = plain.dump();
        auto shown = masked_text(masking, text);
        return shown == text ? plain : nlohmann::json(std::move(shown));
    }
    if (plain.is_binary()) {
        const auto& bytes = plain.get_binary();
        return masked_text(masking, std::string(bytes.begin(), bytes.end()));
    }
    if (!plain.is_structured()) return plain;
    if (depth >= max_depth) return "(nested too deeply)";
    if (plain.is_object()) return masked_object(masking, plain, depth);
    auto array = nlohmann::json::array();
    for (const auto& value : plain) array.push_back(masked(masking, value, depth + 1));
    return array;
}

}  // namespace

MaskedJson::MaskedJson(const MaskSet& set, const nlohmann::json& plain, MaskCounts* counts)
    : value_(masked({set, counts}, plain, 0)) {}

MaskedChunk MaskedJson::document(LiteralText key) const {
    const nlohmann::json whole{{std::string(key.text()), value_}};
    return MaskedChunk(whole.dump(2) + "\n");
}

}  // namespace trebuchet
