#include "agent/delivery/spool_record.hpp"

#include <array>
#include <utility>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

using nlohmann::json;

constexpr char text_mark = 'T';
constexpr char state_mark = 'S';
constexpr std::size_t text_head_size = 10;
/// No log gets this long. Sums of two positions cannot overflow.
constexpr std::uint64_t position_limit = std::uint64_t{1} << 60;
constexpr std::size_t longest_timestamp = 64;

std::optional<std::uint64_t> number_of(const json& object, const char* key) {
    const auto number = object.find(key);
    if (number == object.end() || !number->is_number_unsigned()) return std::nullopt;
    const auto value = number->get<std::uint64_t>();
    return value < position_limit ? std::optional(value) : std::nullopt;
}

std::optional<SpooledFragment> parse_fragment(const json& object) {
    const auto number = number_of(object, "number");
    const auto end = number_of(object, "end");
    const auto phase = phase_named(object.value("phase", json("")).get<std::string>());
    auto timestamp = object.value("timestamp", json("")).get<std::string>();
    if (!number || !end || !phase || timestamp.empty() || timestamp.size() > longest_timestamp) return std::nullopt;
    return SpooledFragment{*number, std::move(timestamp), *phase, *end};
}

std::optional<SpoolState> parse_state(std::string_view text) {
    try {
        const auto document = json::parse(text);
        const auto next = number_of(document, "next_number");
        const auto confirmed = number_of(document, "confirmed");
        if (!next || !confirmed) return std::nullopt;
        SpoolState state{*next, *confirmed, {}, std::nullopt};
        for (const auto& [name, bytes] : document.at("shown_bytes").items()) {
            const auto phase = phase_named(name);
            if (!phase || !bytes.is_number_unsigned()) return std::nullopt;
            state.shown_bytes[*phase] = bytes.get<std::uint64_t>();
        }
        const auto& fragment = document.at("under_way");
        if (fragment.is_null()) return state;
        state.under_way = parse_fragment(fragment);
        if (!state.under_way || state.under_way->end <= state.confirmed) return std::nullopt;
        return state;
    } catch (const json::exception&) {
        return std::nullopt;
    }
}

std::optional<SpoolText> parse_text(std::string_view payload) {
    if (payload.size() <= text_head_size) return std::nullopt;
    const auto phase = static_cast<unsigned char>(payload[1]);
    if (phase >= all_phases.size()) return std::nullopt;
    std::uint64_t position = 0;
    for (std::size_t i = 0; i < 8; ++i) {
        position |= static_cast<std::uint64_t>(static_cast<unsigned char>(payload[2 + i])) << (8 * i);
    }
    if (position >= position_limit) return std::nullopt;
    return SpoolText{all_phases.at(phase), position, payload.substr(text_head_size)};
}

}  // namespace

std::string spool_text_head(Phase phase, std::uint64_t position) {
    std::string head{text_mark, static_cast<char>(phase)};
    for (std::size_t i = 0; i < 8; ++i) head += static_cast<char>((position >> (8 * i)) & 0xFFU);
    return head;
}

std::string spool_state_payload(const SpoolState& state) {
    json document{{"next_number", state.next_number},
                  {"confirmed", state.confirmed},
                  {"shown_bytes", json::object()},
                  {"under_way", nullptr}};
    for (const auto& [phase, bytes] : state.shown_bytes) document["shown_bytes"][std::string(name_of(phase))] = bytes;
    if (const auto& fragment = state.under_way) {
        document["under_way"] = {{"number", fragment->number},
                                 {"timestamp", fragment->timestamp},
                                 {"phase", name_of(fragment->phase)},
                                 {"end", fragment->end}};
    }
    return state_mark + document.dump();
}

std::optional<SpoolRecord> parse_spool_record(std::string_view payload) {
    if (payload.empty()) return std::nullopt;
    if (payload.front() == text_mark) {
        if (auto text = parse_text(payload)) return *text;
    } else if (payload.front() == state_mark) {
        if (auto state = parse_state(payload.substr(1))) return std::move(*state);
    }
    return std::nullopt;
}

}  // namespace trebuchet
