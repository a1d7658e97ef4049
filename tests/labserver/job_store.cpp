#include "tests/labserver/job_store.hpp"

#include <algorithm>

namespace trebuchet::labserver {
namespace {

bool excludes(const Job& job, const std::string& agent) {
    const auto excluded = job.data.find("exclude_agents");
    return excluded != job.data.end() && std::find(excluded->begin(), excluded->end(), agent) != excluded->end();
}

}  // namespace

Job& JobStore::add(Job job) {
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
        oldest = jobs_.erase(oldest);
    }
}

}  // namespace trebuchet::labserver
