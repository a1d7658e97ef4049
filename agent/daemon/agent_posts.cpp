#include "agent/daemon/agent_posts.hpp"

#include "agent/job/job_step.hpp"
#include "common/log/log.hpp"

#include <algorithm>
#include <utility>

namespace trebuchet {
namespace {

/// How long the end of a job waits for these posts: as long as one of them may take.
constexpr std::chrono::seconds finish_limit{45};
/// A state that has waited longer than this may overwrite an order that came meanwhile, so the record is read again.
constexpr std::chrono::seconds record_is_new_for{1};

}  // namespace

AgentPosts::AgentPosts(const DaemonParts& parts, Orders& orders)
    : parts_(parts), orders_(orders), timer_(parts.loop), stop_timer_(parts.loop) {}

void AgentPosts::job_taken(const std::string& job_id) {
    job_id_ = job_id;
    job_id_is_posted_ = false;
    record_is_old_ = false;
    record_read_at_ = parts_.clock.now();
}

void AgentPosts::phase_entered(Phase phase) {
    const std::string state(name_of(phase));
    add({Call::post_progress, "post the agent's state", true,
         [this, state, read = std::exchange(record_is_old_, false)](const Done& done) mutable {
             const auto post = [this, state, done] {
                 const auto order = orders_.standing();
                 post_state(state, order ? order->comment : "", done);
             };
             const bool is_new = parts_.clock.now() - record_read_at_ <= record_is_new_for;
             if (!std::exchange(read, true) && is_new) return post();  // a retry reads the record
             parts_.server.read_agent([this, post, alive = std::weak_ptr(alive_)](const Result<AgentRecord>& found) {
                 if (alive.expired()) return;
                 if (found) orders_.note(*found);
                 if (found) record_read_at_ = parts_.clock.now();
                 post();
             });
         }});
}

void AgentPosts::offline(const std::string& comment) {
    add({Call::post_progress, "take the agent offline", true,
         [this, comment](const Done& done) { post_state("offline", comment, done); }});
}

void AgentPosts::post_state(const std::string& state, const std::string& comment, const Done& done) {
    AgentPost post{state, comment};
    if (!job_id_is_posted_) post.job_id = job_id_;
    parts_.server.post_agent_state(post, [this, done, with_job = post.job_id.has_value(),
                                          alive = std::weak_ptr(alive_)](const Result<void>& posted) {
        if (alive.expired()) return;
        if (posted && with_job) job_id_is_posted_ = true;
        if (posted) reached("agent state posted");
        done(posted);
    });
}

void AgentPosts::provision_log(int exit_code, const MaskedChunk& detail) {
    add({Call::post_provision_log, "post the provision log", false, [this, exit_code, detail](const Done& done) {
             parts_.server.post_provision_log(job_id_, exit_code, detail, [done](const Result<void>& posted) {
                 reached("provision log posted");
                 done(posted);
             });
         }});
}

void AgentPosts::add(Post post) {
    waiting_.push_back(std::move(post));
    if (waiting_.size() == 1) send_first();
}

void AgentPosts::send_first() {
    ++tries_;
    waiting_.front().send([this, alive = std::weak_ptr(alive_)](const Result<void>& result) {
        if (!alive.expired()) sent(result);
    });
}

void AgentPosts::sent(const Result<void>& result) {
    if (result) return first_is_done();
    const auto& post = waiting_.front();
    const auto policy = policy_of(post.call);
    if (!backoff_) backoff_.emplace(policy.first_wait, policy.longest_wait, parts_.draw);
    const bool again = tries_ < policy.tries && !stopping_ && !result.error().is_final() && !is_superseded();
    log_warning("job " + job_id_ + ": cannot " + post.what + ": " + result.error().message() +
                (again ? "; retrying" : ""));
    if (!again) return first_is_done();
    timer_.start(backoff_->next(), [this] { is_superseded() ? first_is_done() : send_first(); });
}

void AgentPosts::first_is_done() {
    waiting_.pop_front();
    tries_ = 0;
    backoff_.reset();
    if (!waiting_.empty()) send_first();
}

bool AgentPosts::is_superseded() const {
    return waiting_.front().is_state &&
           std::any_of(std::next(waiting_.begin()), waiting_.end(), [](const Post& post) { return post.is_state; });
}

void AgentPosts::finish() {
    parts_.loop.wait_for(finish_limit, [this] { return waiting_.empty() || is_late_; });
    alive_ = std::make_shared<bool>(true);
    timer_.stop();
    waiting_.clear();
    tries_ = 0;
    backoff_.reset();
}

void AgentPosts::stop(std::chrono::milliseconds limit) {
    stopping_ = true;
    stop_timer_.start(limit, [this] { is_late_ = true; });
}

}  // namespace trebuchet
