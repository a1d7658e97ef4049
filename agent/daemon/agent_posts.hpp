#pragma once

#include "agent/api/call_policy.hpp"
#include "agent/daemon/daemon_parts.hpp"
#include "agent/daemon/orders.hpp"
#include "common/base/backoff.hpp"
#include "common/mask/masked_chunk.hpp"

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace trebuchet {

/// Sends posts that nobody waits for while a job runs: the agent's states and its provision log. Sends them in the
/// background, one after the other, with retries as their policies say. A state is given up when a newer one is
/// waiting.
class AgentPosts {
  public:
    /// Both must outlive this object.
    AgentPosts(const DaemonParts& parts, Orders& orders);

    /// The next state names this job. The server's record of this agent was read just now.
    void job_taken(const std::string& job_id);
    /// Call this when time passes: an administrator may have changed the record.
    void time_passes() { record_is_old_ = true; }
    /// Posts the phase as the agent's state. First reads the record for orders, unless it was just read.
    void phase_entered(Phase phase);
    void offline(const std::string& comment);
    void provision_log(int exit_code, const MaskedChunk& detail);

    /// Waits until everything is sent or given up, but not for long; then drops what is left.
    void finish();
    /// The agent stops: retries nothing any more, and finish() drops what is not sent within `limit`. Call this in a
    /// handler of the loop.
    void stop(std::chrono::milliseconds limit);

  private:
    using Done = std::function<void(Result<void>)>;
    struct Post {
        Call call = Call::post_progress;
        std::string what;  ///< "post the agent's state"
        bool is_state = false;
        std::function<void(Done)> send;
    };

    void add(Post post);
    void send_first();
    void sent(const Result<void>& result);
    void first_is_done();
    void post_state(const std::string& state, const std::string& comment, const Done& done);
    [[nodiscard]] bool is_superseded() const;

    const DaemonParts& parts_;
    Orders& orders_;
    std::string job_id_;
    bool job_id_is_posted_ = false;
    bool record_is_old_ = false;
    std::chrono::steady_clock::time_point record_read_at_{};
    bool stopping_ = false;
    bool is_late_ = false;      ///< the limit of stop() has passed
    std::deque<Post> waiting_;  ///< the first is being sent
    int tries_ = 0;             ///< for the first
    std::optional<Backoff> backoff_;
    Timer timer_;
    Timer stop_timer_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< replaced when a post being sent is dropped
};

}  // namespace trebuchet
