#pragma once

#include "agent/daemon/daemon_parts.hpp"
#include "agent/job/job_listener.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// The file in the state folder with the failures so far. `trebuchet-agent resume` removes it.
inline constexpr const char* device_health_file = "device-health";

/// Counts the device's failed provisions in a row. After `trebuchet.quarantine` of them it asks for quarantine: the
/// device is probably broken, and each further job would only fail, too. One submitter counts once, so that nobody can
/// quarantine a device alone; where jobs name no submitter, each job counts. Survives a restart.
class DeviceHealth final : public JobListener {
  public:
    /// `is_stopping`: whether the agent stops, so that a provision that the agent ended says nothing about the device.
    /// Both must outlive this object.
    DeviceHealth(const DaemonParts& parts, std::function<bool()> is_stopping);

    void job_taken(const Job& job) override { job_ = &job; }
    void job_finished(const PhaseStatus& /*status*/, bool /*cancelled*/) override { job_ = nullptr; }
    void phase_ran(Phase phase, const PhaseStatus& status) override;

    /// Forgets everything if the file was removed.
    void refresh();
    /// Ends a quarantine and forgets the failures.
    void reset();
    /// What to show at the server: the last failures; "" without quarantine.
    [[nodiscard]] std::string comment() const;
    [[nodiscard]] static bool is_own_comment(std::string_view comment);

  private:
    struct Failure {
        std::string job;
        std::string submitter;
        int code = 0;
    };

    void read_file();
    void add(Failure failure);
    void keep();
    void show();
    [[nodiscard]] bool is_quarantined() const;

    const DaemonParts& parts_;
    std::function<bool()> is_stopping_;
    std::filesystem::path file_;
    const Job* job_ = nullptr;  ///< the running one; null: a job that an earlier run of the agent left
    unsigned in_a_row_ = 0;
    std::vector<Failure> failures_;  ///< the last of each submitter
    bool is_kept_ = false;
    bool told_of_disk_ = false;
};

}  // namespace trebuchet
