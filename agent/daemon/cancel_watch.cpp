#include "agent/daemon/cancel_watch.hpp"

#include <algorithm>
#include <utility>

namespace trebuchet {
namespace {

using std::chrono::milliseconds;

/// The shortest pause between two polls.
constexpr milliseconds shortest_pause{500};
/// A pause is this many times as long as the last answer took, but at most longest_pause, so that a cancellation is
/// noticed soon.
constexpr int pause_factor = 20;
constexpr milliseconds longest_pause{5000};

}  // namespace

milliseconds CancelWatch::pause_after(std::chrono::steady_clock::duration answer, const JobServer& server) {
    if (server.job_state_is_cheap()) return shortest_pause;
    const auto took = std::chrono::ceil<milliseconds>(answer);
    return std::clamp<milliseconds>(took * pause_factor, shortest_pause, longest_pause);
}

CancelWatch::CancelWatch(EventLoop& loop, const Clock& clock, JobServer& server, std::function<void()> on_seen)
    : clock_(clock), server_(server), on_seen_(std::move(on_seen)), timer_(loop) {}

void CancelWatch::start(std::string job_id, std::function<void()> handler) {
    job_id_ = std::move(job_id);
    handler_ = std::move(handler);
    ask_after(shortest_pause);
}

void CancelWatch::stop() {
    handler_ = nullptr;
    timer_.stop();
}

void CancelWatch::ask_after(milliseconds delay) {
    timer_.start(delay, [this] { ask(); });
}

void CancelWatch::ask() {
    const auto asked_at = clock_.now();
    server_.read_job_state(job_id_, [this, asked_at, alive = std::weak_ptr(alive_)](const Result<JobState>& state) {
        if (alive.expired() || !handler_) return;
        if (state && *state == JobState::cancelled) {
            on_seen_();
            return std::exchange(handler_, nullptr)();
        }
        ask_after(state ? pause_after(clock_.now() - asked_at, server_) : longest_pause);
    });
}

}  // namespace trebuchet
