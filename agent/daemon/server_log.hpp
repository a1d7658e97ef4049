#pragma once

#include "agent/daemon/daemon_parts.hpp"
#include "agent/delivery/job_folder.hpp"
#include "agent/delivery/log_uploader.hpp"
#include "agent/job/job_control.hpp"
#include "agent/job/log_sink.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace trebuchet {

/// Sends a job's two logs to the server: each has a spool in the job's folder and an uploader.
class ServerLog final : public LogSink {
  public:
    /// `serial_wait`: how long, in total, one phase's serial log may wait for room. All arguments must outlive this
    /// object.
    ServerLog(const DaemonParts& parts, JobFolder& folder, std::chrono::milliseconds serial_wait = log_upload_limit);

    /// Starts to send what is spooled and what comes. Call this before adding text.
    void begin();

    void output(Phase phase, const MaskedChunk& text) override;
    void serial(Phase phase, const MaskedChunk& text) override;
    [[nodiscard]] bool is_full() const override { return output_->is_full(); }
    void on_room(std::function<void()> handler) override { output_->on_room(std::move(handler)); }
    [[nodiscard]] bool is_serial_full() const override { return serial_->is_full(); }
    void wait_for_serial_room() override;

    /// After an interruption the phase's serial log is added again from its start: skips the part that is already
    /// spooled.
    void skip_spooled_serial(std::uint64_t begin);
    /// Starts the next phase's serial log; returns its position.
    std::uint64_t begin_serial();

    /// Waits until everything is sent, at most log_upload_limit for each log. Logs what could not be sent.
    void wait_for_upload();
    /// The agent stops: from now on, no wait takes longer than `limit`.
    void limit_waits(std::chrono::milliseconds limit);
    /// Set once limit_waits was called.
    [[nodiscard]] std::optional<std::chrono::milliseconds> wait_limit() const { return wait_limit_; }
    /// Nothing more will be added.
    void finish();
    /// True if nothing is waiting to be sent.
    [[nodiscard]] bool is_sent() const { return output_->is_done() && serial_->is_done(); }
    /// True if nothing is only in memory.
    [[nodiscard]] bool is_on_disk() const { return output_spool_.is_on_disk() && serial_spool_.is_on_disk(); }
    void retry_disk();

    /// Age of the oldest byte that the server has not confirmed.
    [[nodiscard]] std::chrono::steady_clock::duration lag() const;
    /// How many fragments the server may have twice.
    [[nodiscard]] unsigned doubtful() const { return output_->doubtful() + serial_->doubtful(); }

  private:
    const DaemonParts& parts_;
    JobFolder& folder_;
    const std::chrono::milliseconds serial_wait_;
    Spool output_spool_;
    Spool serial_spool_;
    std::unique_ptr<LogUploader> output_;
    std::unique_ptr<LogUploader> serial_;
    std::optional<std::chrono::milliseconds> wait_limit_;        ///< once the agent stops
    std::chrono::milliseconds serial_wait_left_ = serial_wait_;  ///< for the phase whose serial log is being sent
    std::uint64_t serial_to_skip_ = 0;                           ///< bytes
};

}  // namespace trebuchet
