#include "agent/results/undelivered_results.hpp"

#include "common/file/safe_file.hpp"
#include "common/log/log.hpp"

#include <algorithm>
#include <system_error>
#include <utility>
#include <vector>

#include <sys/stat.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds first_wait{10};
constexpr std::chrono::minutes longest_wait{5};
/// The reference agent may still be there and leave something.
constexpr std::chrono::minutes look_again{1};

std::chrono::system_clock::time_point changed_at(const fs::path& folder) {
    struct stat info {};
    if (::lstat(folder.c_str(), &info) != 0) return std::chrono::system_clock::now();
    return std::chrono::system_clock::from_time_t(info.st_mtime);
}

}  // namespace

UndeliveredResults::UndeliveredResults(EventLoop& loop, const Config& config, JobServer& server, const Clock& clock,
                                       std::function<double()> draw, fs::path jobs)
    : parts_{loop, clock, config, server, draw},
      jobs_(std::move(jobs)),
      backoff_(first_wait, longest_wait, std::move(draw)) {}

void UndeliveredResults::look_now() {
    next_try_.reset();
    backoff_.reset();
}

void UndeliveredResults::deliver_if_due() {
    if (delivery_ || (next_try_ && parts_.clock.now() < *next_try_)) return;
    next_try_ = parts_.clock.now() + look_again;
    all_delivered_ = true;
    look_for_results();
    deliver_next();
}

void UndeliveredResults::look_for_results() {
    waiting_.clear();
    for (const auto& base : {jobs_, parts_.config.results_basedir}) {
        for (const auto& id : JobFolder::all(base)) waiting_.push_back(base / id);
    }
}

bool UndeliveredResults::is_too_old(std::chrono::system_clock::time_point since) const {
    const auto limit = parts_.config.trebuchet.keep_results;
    return limit.count() > 0 && parts_.clock.wall_time() - since > limit;
}

void UndeliveredResults::remove_old(const fs::path& folder, std::chrono::system_clock::time_point since,
                                    const std::string& what) {
    log_error("the result of job " + folder.filename().string() + " could not be delivered since " + iso8601(since) +
              " and is given up: what is lost is " + what);
    if (auto removed = remove_tree(folder); !removed) log_warning(removed.error().message());
    on_given_up();
}

void UndeliveredResults::deliver_next() {
    const auto done = [this](const Result<void>& result) { delivered(result); };
    while (!waiting_.empty()) {
        const auto folder = std::move(waiting_.front());
        waiting_.pop_front();
        if (folder.parent_path() == jobs_) {
            auto job = std::make_unique<JobFolder>(parts_.loop, jobs_, folder.filename().string());
            const auto& record = job->record();
            if (!record.outcome) continue;  // it is in hand
            if (is_too_old(record.taken_at)) {
                remove_old(folder, record.taken_at, "what was not sent of its log, artifacts and outcome");
                continue;
            }
            delivery_ = std::make_unique<Delivery>(parts_, std::move(job), done);
        } else {
            if (const auto since = changed_at(folder); is_too_old(since)) {
                remove_old(folder, since, "its outcome and artifacts");
                continue;
            }
            delivery_ = std::make_unique<Delivery>(parts_, ReferenceResult{folder}, done);
        }
        return delivery_->start();
    }
    if (all_delivered_) return backoff_.reset();
    next_try_ = parts_.clock.now() + backoff_.next();
}

void UndeliveredResults::delivered(const Result<void>& result) {
    const auto finished = std::exchange(delivery_, nullptr);
    if (result) {
        log_info("delivered the result of job " + finished->job_id());
        finished->remove();
    } else {
        log_warning("the result of job " + finished->job_id() + " is still not delivered: " + result.error().message());
        all_delivered_ = false;
    }
    deliver_next();
}

}  // namespace trebuchet
