#include "agent/results/unsent_log_file.hpp"

#include "common/base/text.hpp"

#include <optional>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

using nlohmann::json;

json to_json(Phase phase, const MaskedChunk& text) {
    return {{"phase", name_of(phase)}, {"text", to_valid_utf8(text.bytes())}};  // as it is sent
}

std::optional<Phase> phase_of(const json& piece) {
    const auto phase = piece.find("phase");
    return phase != piece.end() && phase->is_string() ? phase_named(phase->get<std::string>()) : std::nullopt;
}

/// It was masked before it was written.
std::optional<MaskedChunk> text_of(const json& piece) {
    const auto text = piece.find("text");
    if (text == piece.end() || !text->is_string()) return std::nullopt;
    return MaskSet::none()->mask(text->get_ref<const std::string&>());
}

std::optional<std::uint64_t> number_of(const json& object, const char* key) {
    const auto number = object.find(key);
    if (number == object.end() || !number->is_number_unsigned()) return std::nullopt;
    return number->get<std::uint64_t>();
}

}  // namespace

std::string unsent_log_text(const UnsentLog& left) {
    json document{{"next_number", left.next_number},
                  {"confirmed_bytes", json::object()},
                  {"waiting", json::array()},
                  {"under_way", nullptr}};
    for (const auto& [phase, bytes] : left.confirmed_bytes)
        document["confirmed_bytes"][std::string(name_of(phase))] = bytes;
    for (const auto& piece : left.waiting) document["waiting"].push_back(to_json(piece.phase, piece.text));
    if (left.under_way) {
        auto fragment = to_json(left.under_way->phase, left.under_way->text);
        fragment["number"] = left.under_way->number;
        fragment["timestamp"] = left.under_way->timestamp;
        document["under_way"] = std::move(fragment);
    }
    return document.dump();
}

Result<UnsentLog> parse_unsent_log(std::string_view text, LogSeries series) {
    const auto document = json::parse(text, nullptr, false);
    if (!document.is_object()) return fail("not a JSON object");
    UnsentLog left;
    const auto next = number_of(document, "next_number");
    if (!next) return fail("next_number is no number");
    left.next_number = *next;
    if (const auto confirmed = document.find("confirmed_bytes");
        confirmed != document.end() && confirmed->is_object()) {
        for (const auto& [name, bytes] : confirmed->items()) {
            const auto phase = phase_named(name);
            if (phase && bytes.is_number_unsigned()) left.confirmed_bytes[*phase] = bytes.get<std::uint64_t>();
        }
    }
    if (const auto waiting = document.find("waiting"); waiting != document.end() && waiting->is_array()) {
        for (const auto& piece : *waiting) {
            const auto phase = piece.is_object() ? phase_of(piece) : std::nullopt;
            const auto piece_text = phase ? text_of(piece) : std::nullopt;
            if (!piece_text) return fail("a waiting piece has no phase or no text");
            left.waiting.push_back({*phase, *piece_text});
        }
    }
    if (const auto fragment = document.find("under_way"); fragment != document.end() && fragment->is_object()) {
        const auto phase = phase_of(*fragment);
        const auto fragment_text = text_of(*fragment);
        const auto number = number_of(*fragment, "number");
        const auto timestamp = fragment->find("timestamp");
        if (!phase || !fragment_text || !number || timestamp == fragment->end() || !timestamp->is_string()) {
            return fail("the fragment under way lacks its number, timestamp, phase or text");
        }
        left.under_way = LogFragment{series, *number, timestamp->get<std::string>(), *phase, *fragment_text};
    }
    return left;
}

}  // namespace trebuchet
