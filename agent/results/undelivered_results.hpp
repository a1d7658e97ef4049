#pragma once

#include "agent/config/config.hpp"
#include "agent/job/job.hpp"
#include "agent/server/job_server.hpp"
#include "agent/upload/log_uploader.hpp"
#include "common/base/backoff.hpp"
#include "common/base/clock.hpp"
#include "common/event/event_loop.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

namespace trebuchet {

/// Logs, outcomes and artifacts that could not be sent, kept in `results_basedir` until they can be, a folder per job:
///
///     testflinger.json           the job without its secrets
///     testflinger-outcome.json   {"status": {phase: code}, "job_state": "complete" or "cancelled"}
///     artifacts.tar.gz           masked
///     output-rest.json, serial-rest.json   what is left of the two log series, masked: see unsent_log_file.hpp
///
/// Those of the reference agent are delivered as well: its outcome has no job_state, its testflinger.json holds the
/// secrets, and `artifacts/` is a folder, which is masked with them.
class UndeliveredResults {
  public:
    /// All of it must outlive this object.
    UndeliveredResults(EventLoop& loop, const Config& config, JobServer& server, const Clock& clock,
                       std::function<double()> draw);

    /// The rest of a log series.
    [[nodiscard]] Result<void> keep_log(const Job& job, LogSeries series, const UnsentLog& left);
    [[nodiscard]] Result<void> keep_outcome(const Job& job, const PhaseStatus& status, std::string_view state);
    /// A copy of the archive.
    [[nodiscard]] Result<void> keep_artifacts(const Job& job, const std::filesystem::path& archive);

    /// Sends what is there, if something was kept since the last time or the wait after a failure is over; what was
    /// sent is deleted. What fails is left for the next time.
    void deliver_if_due();
    [[nodiscard]] bool is_delivering() const { return delivering_; }

  private:
    [[nodiscard]] Result<std::filesystem::path> folder_of(const Job& job);
    [[nodiscard]] Result<void> deliver(const std::filesystem::path& folder);
    [[nodiscard]] Result<void> deliver_log(const std::filesystem::path& folder, const std::string& job_id,
                                           LogSeries series);
    [[nodiscard]] Result<void> deliver_outcome(const std::filesystem::path& folder, const std::string& job_id);
    [[nodiscard]] Result<void> deliver_artifacts(const std::filesystem::path& folder, const std::string& job_id);
    [[nodiscard]] Result<void> pack(const std::filesystem::path& folder, const std::filesystem::path& archive,
                                    const std::shared_ptr<const MaskSet>& masks);

    EventLoop& loop_;
    const Config& config_;
    JobServer& server_;
    const Clock& clock_;
    std::function<double()> draw_;
    Backoff backoff_;
    std::optional<std::chrono::steady_clock::time_point> next_try_;  ///< nothing: now
    bool delivering_ = false;
};

}  // namespace trebuchet
