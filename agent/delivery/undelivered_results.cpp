#include "agent/delivery/undelivered_results.hpp"

#include "agent/api/call_policy.hpp"
#include "common/file/safe_file.hpp"
#include "common/log/log.hpp"

#include <system_error>
#include <utility>
#include <vector>

#include <sys/stat.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;

constexpr CallPolicy policy = policy_of(Call::deliver_result);
/// The reference agent may still be there and leave something.
constexpr std::chrono::minutes look_again{1};

std::chrono::system_clock::time_point changed_at(const fs::path& folder) {
    struct stat info {};
    if (::lstat(folder.c_str(), &info) != 0) return std::chrono::system_clock::now();
    return std::chrono::system_clock::from_time_t(info.st_mtime);
}

}  // namespace

UndeliveredResults::UndeliveredResults(const Delivery::Parts& parts, fs::path jobs, std::function<void()> on_given_up)
    : parts_(parts),
      jobs_(std::move(jobs)),
      on_given_up_(std::move(on_given_up)),
      packed_(jobs_.parent_path() / "packed"),
      backoff_(policy.first_wait, policy.longest_wait, parts.draw),
      timer_(parts.loop) {}

void UndeliveredResults::look_now() {
    next_try_.reset();
    backoff_.reset();
}

void UndeliveredResults::deliver_if_due() {
    if (delivery_ || (next_try_ && parts_.clock.now() < *next_try_)) return;
    wait_until(parts_.clock.now() + look_again);
    all_delivered_ = true;
    look_for_results();
    deliver_next();
}

void UndeliveredResults::wait_until(std::chrono::steady_clock::time_point next) {
    next_try_ = next;
    timer_.start(std::chrono::ceil<std::chrono::milliseconds>(next - parts_.clock.now()), [this] { deliver_if_due(); });
}

void UndeliveredResults::look_for_results() {
    waiting_.clear();
    for (const auto& base : {jobs_, parts_.config.results_basedir}) {
        for (const auto& id : JobFolder::all(base)) waiting_.push_back(base / id);
    }
    remove_leftover_archives();
}

void UndeliveredResults::remove_leftover_archives() const {
    std::vector<fs::path> leftovers;
    std::error_code error;
    for (fs::directory_iterator entry(packed_, error), end; !error && entry != end; entry.increment(error)) {
        const auto name = entry->path().filename().string();
        if (!is_folder(parts_.config.results_basedir / name.substr(0, name.find('.')))) {
            leftovers.push_back(entry->path());
        }
    }
    for (const auto& path : leftovers) {
        if (auto removed = remove_tree(path); !removed) log_warning(removed.error().message());
    }
}

bool UndeliveredResults::is_too_old(std::chrono::system_clock::time_point since) const {
    const auto limit = parts_.config.trebuchet.keep_results;
    return limit.count() > 0 && parts_.clock.wall_time() - since > limit;
}

void UndeliveredResults::tell_of_old(const std::string& job_id, std::chrono::system_clock::time_point since) {
    log_error("job " + job_id + ": giving up its result, which could not be delivered since " + iso8601(since) +
              " (keep_results): what was not sent of its log, artifacts and outcome is lost");
    on_given_up_();
}

std::unique_ptr<Delivery> UndeliveredResults::delivery_of(const fs::path& folder) {
    const auto done = [this](const Result<void>& result) { delivered(result); };
    since_ = changed_at(folder);
    if (folder.parent_path() == jobs_) {
        const auto id = folder.filename().string();
        if (id == in_hand_) return nullptr;
        auto job = std::make_unique<JobFolder>(parts_.loop, jobs_, id);
        if (!job->record().outcome) return nullptr;
        if (!job->record().id.empty()) since_ = job->record().taken_at;
        return std::make_unique<Delivery>(parts_, std::move(job), done);
    }
    ReferenceResult result{folder, packed_};
    if (result.has_outcome()) return std::make_unique<Delivery>(parts_, std::move(result), done);
    if (result.has_job() && is_too_old(since_)) {
        tell_of_old(result.job_id(), since_);
        result.remove();
    }
    return nullptr;
}

void UndeliveredResults::deliver_next() {
    while (!waiting_.empty()) {
        const auto folder = std::move(waiting_.front());
        waiting_.pop_front();
        delivery_ = delivery_of(folder);
        if (delivery_) return delivery_->start();
    }
    if (!next_try_) return wait_until(parts_.clock.now());  // something came meanwhile
    if (all_delivered_) backoff_.reset();
    wait_until(parts_.clock.now() + (all_delivered_ ? look_again : backoff_.next()));
}

void UndeliveredResults::delivered(const Result<void>& result) {
    const auto finished = std::exchange(delivery_, nullptr);
    if (result) {
        log_info("job " + finished->job_id() + ": its result is delivered");
        finished->remove();
    } else if (is_too_old(since_)) {
        tell_of_old(finished->job_id(), since_);
        finished->remove();
    } else {
        log_warning("job " + finished->job_id() +
                    ": can't deliver its result, it is kept and will be sent later: " + result.error().message());
        all_delivered_ = false;
    }
    deliver_next();
}

}  // namespace trebuchet
