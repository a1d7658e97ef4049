#pragma once

#include "agent/daemon/daemon_parts.hpp"
#include "agent/daemon/device_health.hpp"
#include "agent/daemon/host_pause.hpp"
#include "common/event/folder_watcher.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace trebuchet {

/// Maintenance that this host asks for: with `trebuchet-agent pause`, or because the device's health is bad. The agent
/// shows it at the server as its state `maintenance`, with a comment of its own. An order of the server to stay away
/// goes first.
class HostMaintenance {
  public:
    /// Both must outlive this object.
    HostMaintenance(const DaemonParts& parts, DeviceHealth& health);

    /// Looks at the state folder. Call it before each poll. Sets a file aside that a job may have written, and removes
    /// one whose time is over.
    void refresh();
    /// Something has changed since refresh(); call that soon.
    [[nodiscard]] bool has_news() const { return has_news_; }
    /// What to show at the server; "": the host asks for nothing.
    [[nodiscard]] std::string comment() const;
    /// Whether this comment at the server is one of these, perhaps of an earlier run of the agent.
    [[nodiscard]] static bool is_own_comment(std::string_view comment);

    /// The server shows this comment of ours as the reason why the agent is in maintenance.
    void seen_at_server(std::string_view comment);
    /// The server lets the agent work. If it showed the quarantine before, an administrator has ended that there.
    void free_at_server();

  private:
    void refresh_pause();
    void read_file();
    void end_if_over();

    const DaemonParts& parts_;
    DeviceHealth& health_;
    std::optional<HostPause> pause_;
    bool has_news_ = true;
    bool quarantine_is_seen_ = false;
    FolderWatcher watcher_;
};

}  // namespace trebuchet
