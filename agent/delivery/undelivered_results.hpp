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

/// Delivers jobs whose logs, artifacts or outcome could not be sent: our own, in the agent's state directory, and those
/// of the reference agent, in `results_basedir`, as far as an administrator adopted them (AdoptedResults). They are
/// retried, one after the other, until they are delivered, or given up after a last try because they are older than
/// `trebuchet.keep_results`.
///
/// A result's age is the time during which agents ran and could have delivered it, summed in its journal: a clock that
/// is set makes nothing older. A result of the reference agent gets a journal for that in `ages/`, beside `jobs`.
class UndeliveredResults {
  public:
    /// `jobs`: the folder of our own. `on_given_up` is called when a result was too old, and is lost. Nothing is given
    /// up unless `may_give_up`. All of it must outlive this object.
    UndeliveredResults(
        const Delivery::Parts& parts, std::filesystem::path jobs, std::function<void()> on_given_up = [] {},
        std::function<bool()> may_give_up = [] { return true; });

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
    void look_for_adopted_results();
    void deliver_next();
    void delivered(const Result<void>& result);
    [[nodiscard]] std::unique_ptr<Delivery> delivery_of(const std::filesystem::path& folder);
    /// Adds the time since this was last called for the job, and notes it in `journal`.
    [[nodiscard]] std::chrono::milliseconds grow_older(JobFolder& journal);
    [[nodiscard]] std::chrono::milliseconds age_of_reference_result(const std::string& job_id);
    [[nodiscard]] bool is_too_old(std::chrono::milliseconds age) const;
    /// Logs that it is lost.
    void tell_of_old(const std::string& job_id, std::chrono::milliseconds age);
    void wait_until(std::chrono::steady_clock::time_point next);
    /// Archives and ages whose result is gone.
    void remove_leftovers(const std::filesystem::path& folder) const;

    Delivery::Parts parts_;
    std::filesystem::path jobs_;
    std::function<void()> on_given_up_;
    std::function<bool()> may_give_up_;
    std::filesystem::path packed_;                              ///< artifacts of the reference agent
    std::filesystem::path ages_;                                ///< of its results
    std::map<std::string, std::chrono::milliseconds> aged_at_;  ///< uptime when a job's age was last noted
    Backoff backoff_;
    std::optional<std::chrono::steady_clock::time_point> next_try_;  ///< nothing: now
    std::deque<std::filesystem::path> waiting_;                      ///< folders, in this pass
    std::unique_ptr<Delivery> delivery_;
    std::chrono::milliseconds age_{};  ///< of what is being delivered
    std::string in_hand_;
    Timer timer_;
    bool all_delivered_ = true;         ///< in this pass
    bool told_of_not_adopted_ = false;  ///< results that stay where they are
};

}  // namespace trebuchet
