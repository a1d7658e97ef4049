#include "agent/delivery/undelivered_results.hpp"

#include "agent/api/call_policy.hpp"
#include "agent/delivery/adopted_results.hpp"
#include "common/file/safe_file.hpp"
#include "common/log/log.hpp"

#include <system_error>
#include <utility>
#include <vector>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;

constexpr CallPolicy policy = policy_of(Call::deliver_result);
/// The reference agent may still run and leave results.
constexpr std::chrono::minutes look_again{1};
/// How much a result ages before that is written down. A crash makes it younger by no more than this.
constexpr std::chrono::minutes note_age_after{10};

}  // namespace

UndeliveredResults::UndeliveredResults(const Delivery::Parts& parts, fs::path jobs, std::function<void()> on_given_up,
                                       std::function<bool()> may_give_up)
    : parts_(parts),
      jobs_(std::move(jobs)),
      on_given_up_(std::move(on_given_up)),
      may_give_up_(std::move(may_give_up)),
      packed_(jobs_.parent_path() / "packed"),
      ages_(jobs_.parent_path() / "ages"),
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
    for (const auto& id : JobFolder::all(jobs_)) waiting_.push_back(jobs_ / id);
    look_for_adopted_results();
    remove_leftovers(packed_);
    remove_leftovers(ages_);
}

void UndeliveredResults::look_for_adopted_results() {
    const auto& base = parts_.config.results_basedir;
    const auto adopted = AdoptedResults::read(base, !parts_.config.trebuchet.phase_user.empty());
    std::vector<std::string> others;
    for (const auto& id : JobFolder::all(base)) {
        if (adopted && adopted->has(base / id)) {
            waiting_.push_back(base / id);
        } else if (ReferenceResult{base / id, packed_}.has_outcome()) {
            others.push_back(id);
        }
    }
    if (others.empty() && adopted) return;
    if (std::exchange(told_of_not_adopted_, true)) return;
    if (!adopted) log_warning(adopted.error().message());
    if (others.empty()) return;
    log_warning(base.string() + ": " + std::to_string(others.size()) +
                " results of the Python agent are not delivered, such as that of job " + others.front() +
                ": to deliver them, run trebuchet-agent adopt-results " + base.string());
}

void UndeliveredResults::remove_leftovers(const fs::path& folder) const {
    std::vector<fs::path> leftovers;
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        const auto name = entry->path().filename().string();
        if (!is_folder(parts_.config.results_basedir / name.substr(0, name.find('.')))) {
            leftovers.push_back(entry->path());
        }
    }
    for (const auto& path : leftovers) {
        if (auto removed = remove_tree(path); !removed) log_warning(removed.error().message());
    }
}

std::chrono::milliseconds UndeliveredResults::grow_older(JobFolder& journal) {
    const auto now = parts_.uptime();
    const auto id = journal.path().filename().string();
    const auto [last, is_first] = aged_at_.emplace(id, now);
    const auto grown = now - last->second;
    if (grown < note_age_after) return journal.record().age + grown;
    last->second = now;
    journal.note(JournalEntry::aged(journal.record().age + grown));
    return journal.record().age;
}

std::chrono::milliseconds UndeliveredResults::age_of_reference_result(const std::string& job_id) {
    if (!is_folder(ages_)) static_cast<void>(make_private_folder(ages_));
    JobFolder journal(parts_.loop, ages_, job_id);
    return grow_older(journal);
}

bool UndeliveredResults::is_too_old(std::chrono::milliseconds age) const {
    const auto limit = parts_.config.trebuchet.keep_results;
    return limit.count() > 0 && age > limit && may_give_up_();
}

void UndeliveredResults::tell_of_old(const std::string& job_id, std::chrono::milliseconds age) {
    aged_at_.erase(job_id);
    const auto hours = std::chrono::duration_cast<std::chrono::hours>(age).count();
    log_error("job " + job_id + ": giving up its result, which could not be delivered for " + std::to_string(hours) +
              " hours (keep_results): the unsent part of its log, artifacts and outcome is lost");
    on_given_up_();
}

std::unique_ptr<Delivery> UndeliveredResults::delivery_of(const fs::path& folder) {
    const auto done = [this](const Result<void>& result) { delivered(result); };
    if (folder.parent_path() == jobs_) {
        const auto id = folder.filename().string();
        if (id == in_hand_) return nullptr;
        auto job = std::make_unique<JobFolder>(parts_.loop, jobs_, id);
        if (!job->record().outcome) return nullptr;
        age_ = grow_older(*job);
        return std::make_unique<Delivery>(parts_, std::move(job), done);
    }
    ReferenceResult result{folder, packed_};
    if (!result.has_job() && !result.has_outcome()) return nullptr;
    age_ = age_of_reference_result(result.job_id());
    if (result.has_outcome()) return std::make_unique<Delivery>(parts_, std::move(result), done);
    if (is_too_old(age_)) {
        tell_of_old(result.job_id(), age_);
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
    if (!next_try_) return wait_until(parts_.clock.now());  // a result came meanwhile
    if (all_delivered_) backoff_.reset();
    wait_until(parts_.clock.now() + (all_delivered_ ? look_again : backoff_.next()));
}

void UndeliveredResults::delivered(const Result<void>& result) {
    const auto finished = std::exchange(delivery_, nullptr);
    if (result) {
        log_info("job " + finished->job_id() + ": its result is delivered");
        aged_at_.erase(finished->job_id());
        finished->remove();
    } else if (is_too_old(age_)) {
        tell_of_old(finished->job_id(), age_);
        finished->remove();
    } else {
        log_warning("job " + finished->job_id() +
                    ": cannot deliver its result, it is kept and will be sent later: " + result.error().message());
        all_delivered_ = false;
    }
    deliver_next();
}

}  // namespace trebuchet
