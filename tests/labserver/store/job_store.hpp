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

/// One instant on both clocks: `steady` to measure with, `wall` to show.
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

    std::optional<Moment> posted, taken, complete;  ///< taken: the answer of GET /v1/job went out

    [[nodiscard]] std::string queue() const { return string_at(data, "job_queue"); }
    /// "", "waiting" or "complete"
    [[nodiscard]] std::string attachments_status() const { return string_at(data, "attachments_status"); }
    [[nodiscard]] bool is_over() const { return state == "complete" || state == "completed" || state == "cancelled"; }
};

/// All jobs, whatever their state, and the order in which those that wait are given out: by priority, then by age.
/// Pointers stay good until the job is replaced or forgotten.
class JobStore {
  public:
    using Time = std::chrono::system_clock::time_point;

    /// Takes over what the file holds, and keeps in it every change from now on. It must outlive this store.
    [[nodiscard]] Result<void> keep_in(DataFile& data, const Moment& now);
    /// To be called when fields of a job were changed; what add() and set_state() change is kept anyway.
    void keep(const Job& job) const;

    /// A job of the same id is replaced.
    Job& add(Job job);

    /// nullptr if there is no such job.
    [[nodiscard]] Job* find(const std::string& id);

    /// Any change of state goes through here: the queue follows it.
    void set_state(Job& job, std::string state);

    /// The first waiting job of these queues that this agent may have, now `running`; nullptr if there is none.
    [[nodiscard]] Job* take(const std::vector<std::string>& queues, const std::string& agent);

    /// Waiting jobs of the same queue that come before it; nullopt if the job is not waiting.
    [[nodiscard]] std::optional<std::size_t> position(const Job& job) const;

    /// In the order in which they were posted.
    void for_each(const std::function<void(const Job&)>& visit) const;

    /// Forgets the jobs that were posted before `limit`.
    void forget_before(Time limit);

  private:
    using Place = std::pair<std::int64_t, std::uint64_t>;  // minus the priority, sequence number

    Job& insert(Job job);
    [[nodiscard]] static Place place_of(const Job& job, std::uint64_t sequence) { return {-job.priority, sequence}; }

    std::map<std::uint64_t, Job> jobs_;
    std::map<std::string, std::uint64_t, std::less<>> sequence_of_;
    std::set<Place> waiting_;
    std::uint64_t next_ = 0;
    DataFile* data_ = nullptr;
};

}  // namespace trebuchet::labserver
