#pragma once

#include "agent/delivery/delivery.hpp"
#include "common/base/backoff.hpp"

#include <chrono>
#include <deque>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace trebuchet {

/// Delivers results that could not be sent: logs, artifacts and outcomes of our own jobs, in the agent's state
/// directory, and results of the reference agent, in `results_basedir`, if an administrator adopted them
/// (AdoptedResults). Retries them, one after the other, until they are delivered. Gives a result up, after a last
/// attempt, when it is older than `trebuchet.keep_results`.
///
/// The age of a result counts only the time while agents ran and could have delivered it. Its journal keeps the sum, so
/// setting the clock makes nothing older. For results of the reference agent these journals are in `ages/`, beside
/// `jobs`.
class UndeliveredResults {
  public:
    /// `jobs`: the folder of our own jobs. Calls `on_given_up` when a result is given up because of its age. Gives
    /// nothing up while `may_give_up` returns false. All arguments must outlive this object.
    UndeliveredResults(
        const Delivery::Parts& parts, std::filesystem::path jobs, std::function<void()> on_given_up = [] {},
        std::function<bool()> may_give_up = [] { return true; });

    /// Starts to deliver if there are new results, or if the wait after a failure is over. Returns at once: the
    /// delivery runs in the background, on the loop, and then restarts by itself.
    void deliver_if_due();
    /// The running job, which is not to be delivered yet; "": none.
    void job_in_hand(std::string id) { in_hand_ = std::move(id); }
    /// There is a new result: look for it soon, without waiting.
    void look_now();
    [[nodiscard]] bool is_delivering() const { return delivery_ != nullptr; }

  private:
    void look_for_results();
    void look_for_adopted_results();
    void deliver_next();
    void delivered(const Result<void>& result);
    [[nodiscard]] std::unique_ptr<Delivery> delivery_of(const std::filesystem::path& folder);
    /// Adds the time since the last call for this job, and notes it in `journal`.
    [[nodiscard]] std::chrono::milliseconds grow_older(JobFolder& journal);
    [[nodiscard]] std::chrono::milliseconds age_of_reference_result(const std::string& job_id);
    [[nodiscard]] bool is_too_old(std::chrono::milliseconds age) const;
    /// Logs that the result is lost.
    void tell_of_old(const std::string& job_id, std::chrono::milliseconds age);
    void wait_until(std::chrono::steady_clock::time_point next);
    /// Removes archives and ages whose result is gone.
    void remove_leftovers(const std::filesystem::path& folder) const;

    Delivery::Parts parts_;
    std::filesystem::path jobs_;
    std::function<void()> on_given_up_;
    std::function<bool()> may_give_up_;
    std::filesystem::path packed_;                              ///< artifacts of the reference agent's results
    std::filesystem::path ages_;                                ///< ages of the reference agent's results
    std::map<std::string, std::chrono::milliseconds> aged_at_;  ///< uptime when a job's age was last noted
    Backoff backoff_;
    std::optional<std::chrono::steady_clock::time_point> next_try_;  ///< nothing: now
    std::deque<std::filesystem::path> waiting_;                      ///< folders still to do in this pass
    std::unique_ptr<Delivery> delivery_;
    std::chrono::milliseconds age_{};  ///< of the result being delivered
    std::string in_hand_;
    Timer timer_;
    bool all_delivered_ = true;         ///< in this pass
    bool told_of_not_adopted_ = false;  ///< results that stay where they are
};

}  // namespace trebuchet
