#pragma once

#include "common/event/event_loop.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace trebuchet {

/// Settings of the sd_notify(3) protocol.
struct ServiceSettings {
    /// $NOTIFY_SOCKET: an absolute path, or "@name" in the abstract namespace. "": no service manager.
    std::string socket;
    /// $WATCHDOG_USEC: the service is killed after this time without a keep-alive. 0: no watchdog.
    std::chrono::microseconds watchdog{0};

    /// Reads the environment. Uses the watchdog only if $WATCHDOG_PID is this process or unset. Ignores invalid values
    /// with a warning.
    [[nodiscard]] static ServiceSettings from_environment();
};

/// Notifies the service manager with the sd_notify(3) protocol. Does nothing without a service manager. Never fails or
/// blocks: if the socket is full, it retries a little later. Use it on the loop's thread.
class ServiceManager {
  public:
    ServiceManager(EventLoop& loop, ServiceSettings settings);
    ServiceManager(const ServiceManager&) = delete;
    ServiceManager& operator=(const ServiceManager&) = delete;

    /// The service is up, or up again after reloading(). Starts a timer on the loop that sends keep-alives at half the
    /// watchdog's period, so that a stuck loop triggers the watchdog.
    void ready();
    /// Sets the text in `systemctl status`: control characters become spaces, at most 256 bytes. An unchanged text is
    /// not sent again.
    void status(std::string_view text);
    void reloading();
    /// Keep-alives continue until the destructor.
    void stopping();
    /// Extends the time limit of start, stop or reload to `time` from now.
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
    std::string unsent_;  ///< lines to send again, because the socket was full
    bool has_warned_ = false;
};

}  // namespace trebuchet
