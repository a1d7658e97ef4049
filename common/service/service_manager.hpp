#pragma once

#include "common/event/event_loop.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace trebuchet {

/// What systemd wants to hear, and how often.
struct ServiceSettings {
    /// $NOTIFY_SOCKET: an absolute path, or "@name" in the abstract namespace. "": nobody listens.
    std::string socket;
    /// $WATCHDOG_USEC: silent for so long, the service is killed. 0: no watchdog.
    std::chrono::microseconds watchdog{0};

    /// From the environment; the watchdog only if $WATCHDOG_PID is this process or not set. What can't be used is left
    /// out, with a warning in the log.
    [[nodiscard]] static ServiceSettings from_environment();
};

/// Tells the service manager how the service is doing, by the protocol of sd_notify(3). Without a manager that listens
/// it does nothing. Nothing here fails or blocks: what the manager has no room for now is sent again, a little later.
/// On the loop's thread.
class ServiceManager {
  public:
    ServiceManager(EventLoop& loop, ServiceSettings settings);
    ServiceManager(const ServiceManager&) = delete;
    ServiceManager& operator=(const ServiceManager&) = delete;

    /// The service is up, or up again after reloading(). From now on the watchdog is fed by a timer on the loop, twice
    /// as often as it asks for: it barks when the loop is stuck.
    void ready();
    /// One line for `systemctl status`: control characters become spaces, cut at 256 bytes. The same again is not sent.
    void status(std::string_view text);
    void reloading();
    /// The watchdog is fed all the same, as long as this lives.
    void stopping();
    /// Starting, stopping or reloading takes so much longer, counted from now.
    void extend_timeout(std::chrono::microseconds time);

  private:
    void feed_watchdog();
    void send(const std::string& assignments);
    void send_unsent();

    ServiceSettings settings_;
    Timer watchdog_;
    Timer retry_;
    bool watched_ = false;
    std::string last_status_;
    std::string unsent_;  ///< lines, for which there was no room
    bool told_of_trouble_ = false;
};

}  // namespace trebuchet
