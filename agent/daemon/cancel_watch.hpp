#pragma once

#include "agent/api/job_server.hpp"
#include "common/base/clock.hpp"
#include "common/event/event_loop.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace trebuchet {

/// Asks the server again and again, beside the loop, whether a job is cancelled.
class CancelWatch {
  public:
    /// `on_seen` is called when the server says so, before the handler. All but the values must outlive this object.
    CancelWatch(EventLoop& loop, const Clock& clock, JobServer& server, std::function<void()> on_seen);

    /// Calls `handler` once when the job is cancelled, until `stop`.
    void start(std::string job_id, std::function<void()> handler);
    void stop();

    /// How long to wait until the next question when the last one took so long: asking costs the server the reading of
    /// the whole log.
    [[nodiscard]] static std::chrono::milliseconds pause_after(std::chrono::steady_clock::duration answer);

  private:
    void ask_after(std::chrono::milliseconds delay);
    void ask();

    const Clock& clock_;
    JobServer& server_;
    std::function<void()> on_seen_;
    std::string job_id_;
    std::function<void()> handler_;
    Timer timer_;
    std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  ///< answers may come when we are gone
};

}  // namespace trebuchet
