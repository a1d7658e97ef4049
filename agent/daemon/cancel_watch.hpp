#pragma once

#include "agent/api/job_server.hpp"
#include "common/base/clock.hpp"
#include "common/event/event_loop.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace trebuchet {

/// Polls the server for the cancellation of a job, without blocking the loop.
class CancelWatch {
  public:
    /// Calls `on_seen` when the job is cancelled, before the handler. All references must outlive this object.
    CancelWatch(EventLoop& loop, const Clock& clock, JobServer& server, std::function<void()> on_seen);

    /// Calls `handler` once when the job is cancelled; until `stop`.
    void start(std::string job_id, std::function<void()> handler);
    void stop();

    /// The pause after a poll whose answer took this long: longer if the server had to read the whole log for it.
    [[nodiscard]] static std::chrono::milliseconds pause_after(std::chrono::steady_clock::duration answer,
                                                               const JobServer& server);

  private:
    void ask_after(std::chrono::milliseconds delay);
    void ask();

    const Clock& clock_;
    JobServer& server_;
    std::function<void()> on_seen_;
    std::string job_id_;
    std::function<void()> handler_;
    Timer timer_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< answers may come after this object is destroyed
};

}  // namespace trebuchet
