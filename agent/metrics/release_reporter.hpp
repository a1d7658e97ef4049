#pragma once

#include "agent/config/config.hpp"
#include "agent/metrics/agent_metrics.hpp"
#include "agent/pipeline/job_reporter.hpp"
#include "common/event/event_loop.hpp"
#include "common/process/process.hpp"

#include <memory>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace trebuchet {

/// The shell command that prints a device's os-release; nothing if the address or the user is none that is safe to put
/// there: letters, digits and `.:-_`, not at their start `-`.
[[nodiscard]] std::optional<std::string> os_release_command(const std::string& user, const std::string& address);

/// Passes everything on. After a successful provision it asks the device, by ssh with the keys of this host, which
/// release runs there, and tells the metrics. That goes on beside the job and costs it nothing; nothing is asked before
/// device-info.json names the device's address (`device_ip`).
class ReleaseReporter final : public JobReporter {
  public:
    ReleaseReporter(JobReporter& inner, EventLoop& loop, const Config& config, AgentMetrics& metrics)
        : inner_(inner), loop_(loop), config_(config), metrics_(metrics), limit_(loop) {}

    void job_taken(const Job& job) override;
    void phase_entered(Phase phase) override { inner_.phase_entered(phase); }
    void phase_runs(Phase phase) override { inner_.phase_runs(phase); }
    void output(Phase phase, const MaskedChunk& text) override { inner_.output(phase, text); }
    void serial(Phase phase, const MaskedChunk& text) override { inner_.serial(phase, text); }
    [[nodiscard]] bool is_full() const override { return inner_.is_full(); }
    void on_room(std::function<void()> handler) override { inner_.on_room(std::move(handler)); }
    void flush() override { inner_.flush(); }
    void device_info(const MaskedJson& info) override;
    void phase_ran(Phase phase, const PhaseStatus& status) override { inner_.phase_ran(phase, status); }
    void event(std::string_view name, const MaskedChunk& detail) override { inner_.event(name, detail); }
    void stay_allocated() override { inner_.stay_allocated(); }
    void provision_log(int exit_code, const MaskedChunk& detail) override;
    void recovery_failed(const std::string& comment) override { inner_.recovery_failed(comment); }
    void artifacts(const std::filesystem::path& archive) override { inner_.artifacts(archive); }
    void job_finished(const PhaseStatus& status, bool cancelled) override;
    [[nodiscard]] bool is_cancelled() override { return inner_.is_cancelled(); }
    void watch_for_cancel(std::function<void()> handler) override { inner_.watch_for_cancel(std::move(handler)); }
    void unwatch() override { inner_.unwatch(); }
    void hurry() override { inner_.hurry(); }

  private:
    void ask_device();

    JobReporter& inner_;
    EventLoop& loop_;
    const Config& config_;
    AgentMetrics& metrics_;
    std::string user_;
    std::string address_;
    bool is_provisioned_ = false;
    Timer limit_;
    std::string answer_;
    std::unique_ptr<Process> ssh_;
};

}  // namespace trebuchet
