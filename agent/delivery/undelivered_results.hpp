#pragma once

#include "agent/delivery/delivery.hpp"
#include "common/base/backoff.hpp"

#include <chrono>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace trebuchet {

/// Delivers jobs whose logs, artifacts or outcome could not be sent: our own, in the agent's state directory, and those
/// of the reference agent, in `results_basedir`. They are retried, one after the other, until they are delivered, or
/// given up after a last try because they are older than `trebuchet.keep_results`.
class UndeliveredResults {
  public:
    /// `jobs`: the folder of our own. `on_given_up` is called when a result was too old, and is lost. All of it must
    /// outlive this object.
    UndeliveredResults(
        const Delivery::Parts& parts, std::filesystem::path jobs, std::function<void()> on_given_up = [] {});

    /// Begins to deliver if there are new results, or if the wait after a failure is over. Returns at once: the
    /// delivery runs in the background, on the loop, and from then on starts again by itself.
    void deliver_if_due();
    /// The job that is not to be delivered now; "": none.
    void job_in_hand(std::string id) { in_hand_ = std::move(id); }
    /// There is a new result: looks for it soon, without the wait.
    void look_now();
    [[nodiscard]] bool is_delivering() const { return delivery_ != nullptr; }

  private:
    void look_for_results();
    void deliver_next();
    void delivered(const Result<void>& result);
    [[nodiscard]] std::unique_ptr<Delivery> delivery_of(const std::filesystem::path& folder);
    [[nodiscard]] bool is_too_old(std::chrono::system_clock::time_point since) const;
    /// Logs that it is lost.
    void tell_of_old(const std::string& job_id, std::chrono::system_clock::time_point since);
    void wait_until(std::chrono::steady_clock::time_point next);
    /// Archives whose result is gone.
    void remove_leftover_archives() const;

    Delivery::Parts parts_;
    std::filesystem::path jobs_;
    std::function<void()> on_given_up_;
    std::filesystem::path packed_;  ///< artifacts of the reference agent
    Backoff backoff_;
    std::optional<std::chrono::steady_clock::time_point> next_try_;  ///< nothing: now
    std::deque<std::filesystem::path> waiting_;                      ///< folders, in this pass
    std::unique_ptr<Delivery> delivery_;
    std::chrono::system_clock::time_point since_;  ///< when what is being delivered came
    std::string in_hand_;
    Timer timer_;
    bool all_delivered_ = true;  ///< in this pass
};

}  // namespace trebuchet
