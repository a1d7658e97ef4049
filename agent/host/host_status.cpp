#include "agent/host/host_status.hpp"

#include <limits>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

using Json = nlohmann::json;

std::string text_in(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : "";
}

std::uint64_t number_in(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

pid_t pid_in(const Json& object) {
    const auto pid = number_in(object, "pid");
    return pid <= static_cast<std::uint64_t>(std::numeric_limits<pid_t>::max()) ? static_cast<pid_t>(pid) : 0;
}

}  // namespace

std::string host_status_json(const HostStatus& status) {
    Json agents = Json::array();
    for (const auto& agent : status.agents) {
        agents.push_back(
            {{"agent_id", agent.agent_id}, {"folder", agent.folder}, {"pid", agent.pid}, {"problem", agent.problem}});
    }
    const Json whole{
        {"pid", status.pid}, {"start_time", status.start_time}, {"problem", status.problem}, {"agents", agents}};
    return whole.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<HostStatus> parse_host_status(std::string_view text) {
    const auto object = Json::parse(text, nullptr, false);
    if (!object.is_object()) return fail("the status of `supervise` is not a JSON object");
    HostStatus status{pid_in(object), number_in(object, "start_time"), text_in(object, "problem")};
    const auto agents = object.find("agents");
    if (agents == object.end() || !agents->is_array()) return status;
    for (const auto& agent : *agents) {
        if (!agent.is_object()) continue;
        status.agents.push_back(
            {text_in(agent, "agent_id"), text_in(agent, "folder"), pid_in(agent), text_in(agent, "problem")});
    }
    return status;
}

}  // namespace trebuchet
