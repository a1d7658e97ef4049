#pragma once

#include "tests/labserver/store/data_file.hpp"
#include "tests/labserver/text/json_text.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet::labserver {

/// One instant on both clocks: `steady` for measuring, `wall` for showing.
struct Moment {
    std::chrono::steady_clock::time_point steady;
    std::chrono::system_clock::time_point wall;
};

struct Job {
    std::string id;
    Json data;  ///< as submitted, checked, without `job_id`
    std::int64_t priority = 0;
    std::chrono::system_clock::time_point created;

    std::string state = "waiting";
    Json status = Json::object();  ///< exit codes by phase
    Json device_info;              ///< null until posted

    std::optional<Moment> posted, taken, complete;  ///< taken: when GET /v1/job was answered

    [[nodiscard]] std::string queue() const { return string_at(data, "job_queue"); }
    /// "", "waiting" or "complete"
    [[nodiscard]] std::string attachments_status() const { return string_at(data, "attachments_status"); }
    [[nodiscard]] bool is_over() const { return state == "complete" || state == "completed" || state == "cancelled"; }
};

/// All jobs in any state. Waiting jobs are handed out by priority, then by age. Pointers are valid until the job is
/// replaced or removed.
class JobStore {
  public:
    using Time = std::chrono::system_clock::time_point;

    /// Loads the store from the file, and from then on saves every change in it. The file must outlive the store.
    [[nodiscard]] Result<void> keep_in(DataFile& data, const Moment& now);
    /// Saves a job whose fields were changed directly; add() and set_state() save it themselves.
    void keep(const Job& job) const;

    /// Replaces a job with the same id.
    Job& add(Job job);

    /// Returns nullptr if there is no such job.
    [[nodiscard]] Job* find(const std::string& id);

    /// Changes the state, and puts the job into the queue or takes it out. The only way to change the state.
    void set_state(Job& job, std::string state);

    /// Sets the first waiting job of these queues that does not exclude this agent to `running` and returns it. Returns
    /// nullptr if there is none.
    [[nodiscard]] Job* take(const std::vector<std::string>& queues, const std::string& agent);

    /// How many waiting jobs of the same queue are before this one. nullopt if the job is not waiting.
    [[nodiscard]] std::optional<std::size_t> position(const Job& job) const;

    /// Visits the jobs in the order in which they were submitted.
    void for_each(const std::function<void(const Job&)>& visit) const;

    /// Removes the jobs that were submitted before `limit`.
    void forget_before(Time limit);

  private:
    using Place = std::pair<std::int64_t, std::uint64_t>;  // negated priority, sequence number

    Job& insert(Job job);
    [[nodiscard]] static Place place_of(const Job& job, std::uint64_t sequence) { return {-job.priority, sequence}; }

    std::map<std::uint64_t, Job> jobs_;
    std::map<std::string, std::uint64_t, std::less<>> sequence_of_;
    std::set<Place> waiting_;
    std::uint64_t next_ = 0;
    DataFile* data_ = nullptr;
};

}  // namespace trebuchet::labserver
