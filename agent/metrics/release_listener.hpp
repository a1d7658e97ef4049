#pragma once

#include "agent/config/config.hpp"
#include "agent/job/job_listener.hpp"
#include "agent/metrics/agent_metrics.hpp"
#include "common/event/event_loop.hpp"
#include "common/process/process.hpp"

#include <memory>
#include <optional>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace trebuchet {

/// Returns the shell command that prints a device's os-release. Returns nullopt if user or address are not safe in a
/// command: only letters, digits and `.:-_`, not beginning with `-`.
[[nodiscard]] std::optional<std::string> os_release_command(const std::string& user, const std::string& address);

/// After a successful provision, reads the device's release by ssh with this host's keys, and passes it to the metrics.
/// This never delays the job. Needs the device's address (`device_ip`) from device-info.json.
class ReleaseListener final : public JobListener {
  public:
    ReleaseListener(EventLoop& loop, const Config& config, AgentMetrics& metrics)
        : loop_(loop), config_(config), metrics_(metrics), limit_(loop) {}

    void job_taken(const Job& job) override;
    void device_info(const MaskedJson& info) override;
    void provision_log(int exit_code, const MaskedChunk& detail) override;
    void job_finished(const PhaseStatus& status, bool cancelled) override;

  private:
    void ask_device();

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
