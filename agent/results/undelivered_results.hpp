#pragma once

#include "agent/results/delivery.hpp"
#include "common/base/backoff.hpp"

#include <chrono>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace trebuchet {

/// Jobs whose logs, artifacts or outcome could not be sent: our own, in the agent's folder for what lasts, and those of
/// the reference agent, in `results_basedir`. They are tried again, one after the other, until they are delivered or
/// older than `trebuchet.keep_results`.
class UndeliveredResults {
  public:
    /// `jobs`: the folder of our own. All of it must outlive this object.
    UndeliveredResults(EventLoop& loop, const Config& config, JobServer& server, const Clock& clock,
                       std::function<double()> draw, std::filesystem::path jobs);

    /// Begins to send what is there, if something came since the last time or the wait after a failure is over. Returns
    /// at once: it goes on beside whatever the loop does.
    void deliver_if_due();
    /// Something came.
    void look_now();
    [[nodiscard]] bool is_delivering() const { return delivery_ != nullptr; }

    /// A result was too old, and is lost.
    std::function<void()> on_given_up = [] {};

  private:
    void look_for_results();
    void deliver_next();
    void delivered(const Result<void>& result);
    [[nodiscard]] bool is_too_old(std::chrono::system_clock::time_point since) const;
    void remove_old(const std::filesystem::path& folder, std::chrono::system_clock::time_point since,
                    const std::string& what);

    Delivery::Parts parts_;
    std::filesystem::path jobs_;
    Backoff backoff_;
    std::optional<std::chrono::steady_clock::time_point> next_try_;  ///< nothing: now
    std::deque<std::filesystem::path> waiting_;                      ///< folders, in this pass
    std::unique_ptr<Delivery> delivery_;
    bool all_delivered_ = true;  ///< in this pass
};

}  // namespace trebuchet
