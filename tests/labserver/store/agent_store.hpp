#pragma once

#include "tests/labserver/store/data_file.hpp"
#include "tests/labserver/text/json_text.hpp"

#include <chrono>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace trebuchet::labserver {

/// What agents posted about themselves, and what administrators changed.
class AgentStore {
  public:
    using Time = std::chrono::system_clock::time_point;

    /// Loads the store from the file, and from then on saves every change in it. The file must outlive the store.
    [[nodiscard]] Result<void> keep_in(DataFile& data);

    /// Sets the given fields and keeps the others; adds the agent if it is new. Of `log` the last 100 lines are kept.
    void update(const std::string& name, Json fields, Time now);
    /// Removes a field.
    void erase_field(const std::string& name, const char* field);
    /// Counts provisions that failed in a row. Returns false if there is no such agent.
    bool count_provision(const std::string& name, bool passed);

    [[nodiscard]] bool exists(const std::string& name) const { return agents_.contains(name); }
    /// Every field, plus `name` and `updated_at`. Returns null if there is no such agent.
    [[nodiscard]] Json describe(const std::string& name) const;
    [[nodiscard]] std::vector<std::string> names() const;
    /// The agents that listen on the queue.
    [[nodiscard]] std::vector<std::string> on_queue(const std::string& queue) const;
    [[nodiscard]] std::vector<std::string> queues_of(const std::string& name) const;

    /// Removes the agents that were last updated before `limit`.
    void forget_before(Time limit);

  private:
    struct Agent {
        Json fields = Json::object();
        std::deque<std::string> log;
        Time updated;
    };
    void keep(const std::string& name) const;

    std::map<std::string, Agent> agents_;
    DataFile* data_ = nullptr;
};

}  // namespace trebuchet::labserver
