#include "agent/daemon/host_maintenance.hpp"

#include "common/base/system_text.hpp"
#include "common/file/planted_file.hpp"
#include "common/log/log.hpp"

#include <cerrno>
#include <utility>

#include <unistd.h>

namespace trebuchet {
namespace {

constexpr std::string_view paused = "Paused on the host";

std::string comment_of(const HostPause& pause) {
    auto text = std::string(paused);
    if (pause.until) text += " until " + iso8601(*pause.until).substr(0, 16) + " UTC";
    return pause.note.empty() ? text : text + ": " + pause.note;
}

}  // namespace

HostMaintenance::HostMaintenance(const DaemonParts& parts, DeviceHealth& health)
    : parts_(parts), health_(health), watcher_(parts.loop, parts.state_base, [this](const std::string& name) {
          if (name == pause_file || name == device_health_file) has_news_ = true;
      }) {}

void HostMaintenance::refresh() {
    has_news_ = false;
    health_.refresh();
    refresh_pause();
}

void HostMaintenance::refresh_pause() {
    const auto before = pause_;
    read_file();
    end_if_over();
    if (pause_ == before) return;
    log_info(pause_ ? "taking no more jobs: " + comment_of(*pause_) : "the pause is over: taking jobs again");
}

void HostMaintenance::read_file() {
    auto found = read_pause(parts_.state_base, parts_.phase_user.has_value());
    if (found) {
        pause_ = std::move(*found);
        return;
    }
    log_warning(found.error().message() + ". Run trebuchet-agent pause as root");
    pause_.reset();
    if (const auto aside = rename_aside(parts_.state_base / pause_file); !aside) log_warning(aside.error().message());
}

void HostMaintenance::end_if_over() {
    if (!pause_ || !pause_->until || parts_.clock.wall_time() < *pause_->until) return;
    pause_.reset();
    if (::unlink((parts_.state_base / pause_file).c_str()) != 0) {
        log_warning("cannot remove " + (parts_.state_base / pause_file).string() + ": " + system_text(errno));
    }
}

std::string HostMaintenance::comment() const {
    return pause_ ? comment_of(*pause_) : health_.comment();
}

bool HostMaintenance::is_own_comment(std::string_view comment) {
    return comment.starts_with(paused) || DeviceHealth::is_own_comment(comment);
}

void HostMaintenance::seen_at_server(std::string_view comment) {
    quarantine_is_seen_ = DeviceHealth::is_own_comment(comment);
}

void HostMaintenance::free_at_server() {
    if (!std::exchange(quarantine_is_seen_, false) || health_.comment().empty()) return;
    log_info("the server set this agent to waiting");
    health_.reset();
}

}  // namespace trebuchet
