#include "tests/labserver/store/job_store.hpp"

#include <algorithm>

namespace trebuchet::labserver {
namespace {

bool excludes(const Job& job, const std::string& agent) {
    const auto excluded = job.data.find("exclude_agents");
    return excluded != job.data.end() && std::find(excluded->begin(), excluded->end(), agent) != excluded->end();
}

constexpr const char* table = "jobs";

Json stored_moment(const std::optional<Moment>& moment) {
    return moment ? Json(stored(moment->wall)) : Json();
}

/// Computes the steady time from the age on the wall clock: a steady time means nothing after a restart.
std::optional<Moment> moment_from(const Json& row, const Moment& now) {
    if (row.is_null()) return std::nullopt;
    const auto wall = time_from(row);
    return Moment{now.steady - std::chrono::duration_cast<std::chrono::steady_clock::duration>(now.wall - wall), wall};
}

}  // namespace

Result<void> JobStore::keep_in(DataFile& data, const Moment& now) {
    auto read = data.for_each(table, [&](const std::string& id, const Json& row, std::string_view) {
        Job job;
        job.id = id;
        job.data = row.at("data");
        job.priority = row.at("priority").get<std::int64_t>();
        job.created = time_from(row.at("created"));
        job.status = row.at("status");
        job.device_info = row.at("device_info");
        job.posted = moment_from(row.at("posted"), now);
        job.taken = moment_from(row.at("taken"), now);
        job.complete = moment_from(row.at("complete"), now);
        set_state(insert(std::move(job)), row.at("state").get<std::string>());
    });
    data_ = &data;
    return read;
}

void JobStore::keep(const Job& job) const {
    if (data_ == nullptr) return;
    data_->put(table, job.id,
               {{"data", job.data},
                {"priority", job.priority},
                {"created", stored(job.created)},
                {"state", job.state},
                {"status", job.status},
                {"device_info", job.device_info},
                {"posted", stored_moment(job.posted)},
                {"taken", stored_moment(job.taken)},
                {"complete", stored_moment(job.complete)}});
}

Job& JobStore::add(Job job) {
    if (data_ != nullptr) data_->erase(table, job.id);  // the new job is added at the end
    auto& added = insert(std::move(job));
    keep(added);
    return added;
}

Job& JobStore::insert(Job job) {
    if (const auto old = sequence_of_.find(job.id); old != sequence_of_.end()) {
        waiting_.erase(place_of(jobs_.at(old->second), old->second));
        jobs_.erase(old->second);
    }
    const auto sequence = next_++;
    sequence_of_[job.id] = sequence;
    waiting_.insert(place_of(job, sequence));
    return jobs_[sequence] = std::move(job);
}

Job* JobStore::find(const std::string& id) {
    const auto found = sequence_of_.find(id);
    return found == sequence_of_.end() ? nullptr : &jobs_.at(found->second);
}

void JobStore::set_state(Job& job, std::string state) {
    job.state = std::move(state);
    const auto place = place_of(job, sequence_of_.at(job.id));
    if (job.state == "waiting") {
        waiting_.insert(place);
    } else {
        waiting_.erase(place);
    }
    keep(job);
}

Job* JobStore::take(const std::vector<std::string>& queues, const std::string& agent) {
    for (const auto& [unused, sequence] : waiting_) {
        auto& job = jobs_.at(sequence);
        const bool ready = job.attachments_status() != "waiting" && !excludes(job, agent);
        if (ready && std::find(queues.begin(), queues.end(), job.queue()) != queues.end()) {
            set_state(job, "running");
            return &job;
        }
    }
    return nullptr;
}

std::optional<std::size_t> JobStore::position(const Job& job) const {
    if (job.state != "waiting") return std::nullopt;
    const auto place = place_of(job, sequence_of_.at(job.id));
    const auto queue = job.queue();
    return static_cast<std::size_t>(
        std::count_if(waiting_.begin(), waiting_.lower_bound(place),
                      [&](const Place& other) { return jobs_.at(other.second).queue() == queue; }));
}

void JobStore::for_each(const std::function<void(const Job&)>& visit) const {
    for (const auto& [unused, job] : jobs_) visit(job);
}

void JobStore::forget_before(Time limit) {
    for (auto oldest = jobs_.begin(); oldest != jobs_.end() && oldest->second.created < limit;) {
        waiting_.erase(place_of(oldest->second, oldest->first));
        sequence_of_.erase(oldest->second.id);
        if (data_ != nullptr) data_->erase(table, oldest->second.id);
        oldest = jobs_.erase(oldest);
    }
}

}  // namespace trebuchet::labserver
