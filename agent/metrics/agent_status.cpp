#include "agent/metrics/agent_status.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

using nlohmann::json;
using Time = AgentStatus::Time;

std::int64_t seconds_of(Time time) {
    return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

void put(json& object, const char* key, const std::optional<Time>& time) {
    if (time) object[key] = seconds_of(*time);
}

void get(const json& object, const char* key, std::string& text) {
    const auto found = object.find(key);
    if (found != object.end() && found->is_string()) text = found->get<std::string>();
}

void get(const json& object, const char* key, std::uint64_t& number) {
    const auto found = object.find(key);
    if (found != object.end() && found->is_number_unsigned()) number = found->get<std::uint64_t>();
}

void get(const json& object, const char* key, std::optional<Time>& time) {
    constexpr std::uint64_t latest = 9'999'999'999;
    std::uint64_t seconds = latest + 1;
    get(object, key, seconds);
    if (seconds <= latest) time = Time(std::chrono::seconds(seconds));
}

}  // namespace

std::filesystem::path status_file(const std::filesystem::path& folder, const std::string& agent_id) {
    return folder / agent_id / "status.json";
}

std::string shown_duration(std::chrono::seconds time) {
    constexpr std::int64_t minute = 60;
    constexpr std::int64_t hour = 60 * minute;
    const std::int64_t count = std::max<std::int64_t>(time.count(), 0);
    if (count < 2 * minute) return std::to_string(count) + " s";
    if (count < 2 * hour) return std::to_string(count / minute) + " min";
    if (count < 48 * hour) return std::to_string(count / hour) + " h";
    return std::to_string(count / (24 * hour)) + " d";
}

std::string status_json(const AgentStatus& status) {
    json object{{"agent_id", status.agent_id},
                {"version", status.version},
                {"server", status.server},
                {"queues", status.queues},
                {"pid", status.pid},
                {"start_time", status.start_time},
                {"state", status.state},
                {"comment", status.comment},
                {"job", status.job},
                {"phase", status.phase},
                {"last_error", status.last_error},
                {"undelivered_bytes", status.undelivered_bytes}};
    put(object, "state_since", status.state_since);
    put(object, "phase_since", status.phase_since);
    put(object, "last_output", status.last_output);
    put(object, "undelivered_since", status.undelivered_since);
    put(object, "last_error_at", status.last_error_at);
    return object.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<AgentStatus> parse_status(std::string_view text) {
    const auto object = json::parse(text, nullptr, false);
    if (!object.is_object()) return fail("found no JSON object, expected the status of an agent");
    AgentStatus status;
    for (const auto& [key, target] : {std::pair{"agent_id", &status.agent_id},
                                      {"version", &status.version},
                                      {"server", &status.server},
                                      {"state", &status.state},
                                      {"comment", &status.comment},
                                      {"job", &status.job},
                                      {"phase", &status.phase},
                                      {"last_error", &status.last_error}}) {
        get(object, key, *target);
    }
    if (const auto queues = object.find("queues"); queues != object.end() && queues->is_array()) {
        for (const auto& queue : *queues) {
            if (queue.is_string()) status.queues.push_back(queue.get<std::string>());
        }
    }
    std::uint64_t pid = 0;
    get(object, "pid", pid);
    if (pid <= static_cast<std::uint64_t>(std::numeric_limits<pid_t>::max())) status.pid = static_cast<pid_t>(pid);
    get(object, "start_time", status.start_time);
    get(object, "undelivered_bytes", status.undelivered_bytes);
    get(object, "state_since", status.state_since);
    get(object, "phase_since", status.phase_since);
    get(object, "last_output", status.last_output);
    get(object, "undelivered_since", status.undelivered_since);
    get(object, "last_error_at", status.last_error_at);
    return status;
}

}  // namespace trebuchet
