#include "tests/labserver/store/agent_store.hpp"

#include "tests/labserver/text/iso_time.hpp"

#include <algorithm>

namespace trebuchet::labserver {
namespace {

constexpr std::size_t kept_log_lines = 100;
constexpr const char* table = "agents";

}  // namespace

Result<void> AgentStore::keep_in(DataFile& data) {
    data_ = &data;
    return data.for_each(table, [this](const std::string& name, const Json& row, std::string_view) {
        agents_[name] = {row.at("fields"), row.at("log").get<std::deque<std::string>>(), time_from(row.at("updated"))};
    });
}

void AgentStore::keep(const std::string& name) const {
    if (data_ == nullptr) return;
    const auto& agent = agents_.at(name);
    data_->put(table, name, {{"fields", agent.fields}, {"log", agent.log}, {"updated", stored(agent.updated)}});
}

void AgentStore::update(const std::string& name, Json fields, Time now) {
    auto& agent = agents_[name];
    agent.updated = now;
    if (const auto log = fields.find("log"); log != fields.end()) {
        for (const auto& line : *log) agent.log.push_back(line.get<std::string>());
        while (agent.log.size() > kept_log_lines) agent.log.pop_front();
        fields.erase(log);
    }
    agent.fields.update(fields);
    keep(name);
}

void AgentStore::erase_field(const std::string& name, const char* field) {
    const auto found = agents_.find(name);
    if (found == agents_.end()) return;
    found->second.fields.erase(field);
    keep(name);
}

bool AgentStore::count_provision(const std::string& name, bool passed) {
    const auto found = agents_.find(name);
    if (found == agents_.end()) return false;
    auto& fields = found->second.fields;
    const char* type = passed ? "pass" : "fail";
    const bool goes_on = string_at(fields, "provision_streak_type") == type;
    fields["provision_streak_count"] = goes_on ? fields.value("provision_streak_count", 0) + 1 : 1;
    fields["provision_streak_type"] = type;
    keep(name);
    return true;
}

Json AgentStore::describe(const std::string& name) const {
    const auto found = agents_.find(name);
    if (found == agents_.end()) return {};
    auto description = found->second.fields;
    description["name"] = name;
    description["updated_at"] = zulu(found->second.updated);
    return description;
}

std::vector<std::string> AgentStore::names() const {
    std::vector<std::string> all;
    for (const auto& [name, unused] : agents_) all.push_back(name);
    return all;
}

std::vector<std::string> AgentStore::on_queue(const std::string& queue) const {
    std::vector<std::string> listening;
    for (const auto& [name, unused] : agents_) {
        const auto queues = queues_of(name);
        if (std::find(queues.begin(), queues.end(), queue) != queues.end()) listening.push_back(name);
    }
    return listening;
}

std::vector<std::string> AgentStore::queues_of(const std::string& name) const {
    const auto found = agents_.find(name);
    if (found == agents_.end()) return {};
    return found->second.fields.value("queues", std::vector<std::string>());
}

void AgentStore::forget_before(Time limit) {
    std::erase_if(agents_, [&](const auto& entry) {
        const bool is_old = entry.second.updated < limit;
        if (is_old && data_ != nullptr) data_->erase(table, entry.first);
        return is_old;
    });
}

}  // namespace trebuchet::labserver
