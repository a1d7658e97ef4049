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

/// Jobs whose logs, artifacts or outcome could not be sent: our own, in the agent's folder for what lasts, and those of
/// the reference agent, in `results_basedir`. They are tried again, one after the other, until they are delivered or,
/// after a last try, older than `trebuchet.keep_results`.
class UndeliveredResults {
  public:
    /// `jobs`: the folder of our own. All of it must outlive this object.
    UndeliveredResults(EventLoop& loop, const Config& config, JobServer& server, const Clock& clock,
                       std::function<double()> draw, std::filesystem::path jobs);

    /// Begins to send what is there, if something came since the last time or the wait after a failure is over. Returns
    /// at once: it goes on beside whatever the loop does, and from then on begins again by itself.
    void deliver_if_due();
    /// This job is left alone; "": none.
    void job_in_hand(std::string id) { in_hand_ = std::move(id); }
    /// Something came.
    void look_now();
    [[nodiscard]] bool is_delivering() const { return delivery_ != nullptr; }

    /// A result was too old, and is lost.
    std::function<void()> on_given_up = [] {};

  private:
    void look_for_results();
    void deliver_next();
    void delivered(const Result<void>& result);
    [[nodiscard]] std::unique_ptr<Delivery> delivery_of(const std::filesystem::path& folder);
    [[nodiscard]] bool is_too_old(std::chrono::system_clock::time_point since) const;
    /// That it is lost.
    void tell_of_old(const std::string& job_id, std::chrono::system_clock::time_point since);
    void wait_until(std::chrono::steady_clock::time_point next);
    /// Archives whose result is gone.
    void remove_leftover_archives() const;

    Delivery::Parts parts_;
    std::filesystem::path jobs_;
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
