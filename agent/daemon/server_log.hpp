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

/// A job's two logs on their way to the server: each has a spool in the job's folder and an uploader.
class ServerLog final : public LogSink {
  public:
    /// `serial_wait`: how long one phase's serial log waits for room in all. All of it must outlive this object.
    ServerLog(const DaemonParts& parts, JobFolder& folder, std::chrono::milliseconds serial_wait = log_upload_limit);

    /// Begins to send what is spooled and what comes. Call this before the first text.
    void begin();

    void output(Phase phase, const MaskedChunk& text) override;
    void serial(Phase phase, const MaskedChunk& text) override;
    [[nodiscard]] bool is_full() const override { return output_->is_full(); }
    void on_room(std::function<void()> handler) override { output_->on_room(std::move(handler)); }
    [[nodiscard]] bool is_serial_full() const override { return serial_->is_full(); }
    void wait_for_serial_room() override;

    /// The interrupted phase's serial log comes again from its start: leaves out the part that is spooled already.
    void skip_spooled_serial(std::uint64_t begin);
    /// Begins the next phase's serial log; returns its position.
    std::uint64_t begin_serial();

    /// Waits until all is sent, at most log_upload_limit for each of the two; logs what could not be sent.
    void wait_for_upload();
    /// The agent stops: from now on no wait takes longer than `limit`.
    void limit_waits(std::chrono::milliseconds limit);
    /// Set once limit_waits was called.
    [[nodiscard]] std::optional<std::chrono::milliseconds> wait_limit() const { return wait_limit_; }
    /// Nothing more comes.
    void finish();
    /// Nothing is left to be sent.
    [[nodiscard]] bool is_sent() const { return output_->is_done() && serial_->is_done(); }
    /// Nothing is in memory only.
    [[nodiscard]] bool is_on_disk() const { return output_spool_.is_on_disk() && serial_spool_.is_on_disk(); }
    void retry_disk();

    /// Age of the oldest byte that the server has not confirmed.
    [[nodiscard]] std::chrono::steady_clock::duration lag() const;
    /// How many pieces may be at the server twice.
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
    std::chrono::milliseconds serial_wait_left_ = serial_wait_;  ///< of the phase whose serial log is being sent
    std::uint64_t serial_to_skip_ = 0;                           ///< bytes
};

}  // namespace trebuchet
