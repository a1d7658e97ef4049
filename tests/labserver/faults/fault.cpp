#include "tests/labserver/faults/fault.hpp"

#include "common/base/text.hpp"
#include "tests/labserver/net/url.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace trebuchet::labserver {
namespace {

constexpr std::int64_t one_hour = 3'600'000;
constexpr std::int64_t most_bytes = std::int64_t{1} << 30U;

struct Kind {
    FaultKind kind;
    std::string_view name;
    std::string_view value;  ///< what the value means; empty: the fault takes none
    std::int64_t fallback = 0;
    std::int64_t least = 0;
    std::int64_t most = 0;
};

constexpr std::array<Kind, 21> kinds = {{
    {FaultKind::refuse, "refuse", "milliseconds", 1000, 0, one_hour},
    {FaultKind::restart, "restart", "milliseconds", 100, 0, one_hour},
    {FaultKind::close_unread, "close-unread", ""},
    {FaultKind::close, "close", ""},
    {FaultKind::lose_answer, "lose-answer", ""},
    {FaultKind::delay, "delay", "milliseconds", 1000, 0, one_hour},
    {FaultKind::slow, "slow", "milliseconds", 10, 1, one_hour},
    {FaultKind::status, "status", "a status", 500, 200, 599},
    {FaultKind::expired_token, "expired-token", ""},
    {FaultKind::rotated_key, "rotated-key", ""},
    {FaultKind::no_webhook, "no-webhook", ""},
    {FaultKind::interim, "interim", "a status", 103, 100, 199},
    {FaultKind::interim_only, "interim-only", "a status", 102, 100, 199},
    {FaultKind::truncate, "truncate", "bytes", 1, 1, most_bytes},
    {FaultKind::garbage, "garbage", "bytes", 1000, 1, most_bytes},
    {FaultKind::huge_headers, "huge-headers", "bytes", 8'000'000, 1, most_bytes},
    {FaultKind::huge_json, "huge-json", "bytes", 100'000'000, 1, most_bytes},
    {FaultKind::deep_json, "deep-json", "levels", 10'000, 1, most_bytes},
    {FaultKind::nul_json, "nul-json", ""},
    {FaultKind::invalid_utf8, "invalid-utf8", ""},
    {FaultKind::wrong_types, "wrong-types", ""},
}};

const Kind& description_of(FaultKind kind) {
    return *std::find_if(kinds.begin(), kinds.end(), [kind](const Kind& entry) { return entry.kind == kind; });
}

const Kind* find_kind(std::string_view name) {
    const auto* found =
        std::find_if(kinds.begin(), kinds.end(), [name](const Kind& entry) { return entry.name == name; });
    return found == kinds.end() ? nullptr : found;
}

std::string names() {
    std::string all;
    for (const auto& kind : kinds) all.append(all.empty() ? "" : ", ").append(kind.name);
    return all;
}

/// The default target: a server without a webhook fails only events.
std::string usual_target(FaultKind kind) {
    return kind == FaultKind::no_webhook ? "/v1/job/*/events" : "*";
}

std::optional<std::int64_t> parse_number(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

bool is_method(std::string_view word) {
    return !word.empty() && std::all_of(word.begin(), word.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool is_target(std::string_view word) {
    return word.starts_with('/') || word.starts_with('*');
}

/// Matches each star as short as possible: the text up to the next star must be at its first occurrence.
bool fits(std::string_view pattern, std::string_view text) {
    const auto first = pattern.find('*');
    if (first == std::string_view::npos) return pattern == text;
    const auto last = pattern.rfind('*');
    const auto start = pattern.substr(0, first);
    const auto end = pattern.substr(last + 1);
    if (text.size() < start.size() + end.size() || !text.starts_with(start) || !text.ends_with(end)) return false;
    text = text.substr(start.size(), text.size() - start.size() - end.size());
    for (auto at = first; at != last;) {
        const auto next = pattern.find('*', at + 1);
        const auto part = pattern.substr(at + 1, next - at - 1);
        const auto found = text.find(part);
        if (found == std::string_view::npos) return false;
        text.remove_prefix(found + part.size());
        at = next;
    }
    return true;
}

Result<std::int64_t> value_of(const Kind& kind, const Json& given) {
    const std::string name(kind.name);
    if (kind.value.empty()) return fail("the fault " + name + " takes no value, found " + to_text(given));
    const bool good = given.is_number_integer() && given >= kind.least && given <= kind.most;
    if (good) return given.get<std::int64_t>();
    return fail("the fault " + name + " has the value " + to_text(given) + ", expected " + std::string(kind.value) +
                " from " + std::to_string(kind.least) + " to " + std::to_string(kind.most));
}

}  // namespace

bool Fault::matches(std::string_view request_method, std::string_view request_target) const {
    return (method.empty() || method == request_method) && fits(target, path_of(request_target));
}

Result<Fault> parse_fault(std::string_view spec) {
    const auto refuse = [&](const std::string& why) {
        return fail("fault " + trebuchet::quoted(spec) + ": " + why +
                    R"(; expected "WHAT[=VALUE] [METHOD] [TARGET] [xCOUNT]", as in "status=503 GET /v1/job x3")");
    };
    Json fields = Json::object();
    for (auto rest = spec; !rest.empty();) {
        const auto word = rest.substr(0, rest.find(' '));
        rest.remove_prefix(std::min(word.size() + 1, rest.size()));
        if (word.empty()) continue;
        const char* field = nullptr;
        Json value;
        if (!fields.contains("what")) {
            const auto equals = word.find('=');
            if (equals != std::string_view::npos) {
                const auto given = word.substr(equals + 1);
                const auto number = parse_number(given);
                if (!number) return refuse("the value " + trebuchet::quoted(given) + " is not a number");
                fields["value"] = *number;
            }
            field = "what";
            value = std::string(word.substr(0, equals));
        } else if (word.starts_with('x') && parse_number(word.substr(1))) {
            field = "count";
            value = *parse_number(word.substr(1));
        } else {
            if (!is_target(word) && !is_method(word)) return refuse("cannot read " + trebuchet::quoted(word));
            field = is_target(word) ? "target" : "method";
            value = std::string(word);
        }
        if (fields.contains(field)) return refuse(std::string("there is a second ") + field);
        fields[field] = std::move(value);
    }
    auto fault = fault_from(fields);
    if (!fault) return refuse(fault.error().message());
    return fault;
}

Result<Fault> fault_from(const Json& fields) {
    if (!fields.is_object()) return fail("a fault is an object, found " + to_text(fields));
    const auto name = string_at(fields, "what");
    const auto* kind = find_kind(name);
    if (kind == nullptr) return fail("there is no fault " + trebuchet::quoted(name) + ", expected one of " + names());
    Fault fault;
    fault.kind = kind->kind;
    fault.value = kind->fallback;
    fault.target = usual_target(kind->kind);
    for (const auto& [field, given] : fields.items()) {
        if (field == "value") {
            const auto value = value_of(*kind, given);
            if (!value) return fail(value.error());
            fault.value = *value;
        } else if (field == "method" && given.is_string() && is_method(given.get_ref<const std::string&>())) {
            fault.method = given.get<std::string>();
        } else if (field == "target" && given.is_string() && is_target(given.get_ref<const std::string&>())) {
            fault.target = given.get<std::string>();
        } else if (field == "count" && given.is_number_integer() && given >= 0) {
            fault.count = given.get<std::uint64_t>();
        } else if (field != "what") {
            return fail("the fault " + name + " has the " + field + " " + to_text(given) +
                        ", expected a value, a method (GET), a target (/v1/job, * for any text) and a count, at most");
        }
    }
    return fault;
}

Json to_json(const Fault& fault) {
    const auto& kind = description_of(fault.kind);
    Json fields = {{"what", kind.name}, {"target", fault.target}, {"count", fault.count}};
    if (!kind.value.empty()) fields["value"] = fault.value;
    if (!fault.method.empty()) fields["method"] = fault.method;
    return fields;
}

}  // namespace trebuchet::labserver
