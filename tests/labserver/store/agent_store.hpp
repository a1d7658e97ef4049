#pragma once

#include "tests/labserver/store/data_file.hpp"
#include "tests/labserver/text/json_text.hpp"

#include <chrono>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace trebuchet::labserver {

/// What agents said about themselves, and what administrators made of it.
class AgentStore {
  public:
    using Time = std::chrono::system_clock::time_point;

    /// Takes over what the file holds, and keeps in it every change from now on. It must outlive this store.
    [[nodiscard]] Result<void> keep_in(DataFile& data);

    /// Sets the fields given and leaves the others; makes the agent if it is new. `log` is kept apart: its last 100
    /// lines.
    void update(const std::string& name, Json fields, Time now);
    /// Takes a field away.
    void erase_field(const std::string& name, const char* field);
    /// false if there is no such agent.
    bool count_provision(const std::string& name, bool passed);

    [[nodiscard]] bool exists(const std::string& name) const { return agents_.contains(name); }
    /// Every field, and `name` and `updated_at`; null if there is no such agent.
    [[nodiscard]] Json describe(const std::string& name) const;
    [[nodiscard]] std::vector<std::string> names() const;
    /// Those that listen on the queue.
    [[nodiscard]] std::vector<std::string> on_queue(const std::string& queue) const;
    [[nodiscard]] std::vector<std::string> queues_of(const std::string& name) const;

    /// Forgets the agents last heard of before `limit`.
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
