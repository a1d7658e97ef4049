#pragma once

#include "provision/power/power_control.hpp"
#include "provision/process/command.hpp"
#include "provision/process/interrupt.hpp"

#include <chrono>
#include <string>

namespace trebuchet {

/// An outlet of a power distribution unit, switched by pdudaemon's HTTP listener (`GET /power/control/on?…`) with the
/// system's curl. pdudaemon queues requests and does not report the state, so each call waits `delay` for the switch.
class PduDaemonPower final : public PowerControl {
  public:
    struct Outlet {
        std::string url;                ///< "http://host:16421"
        std::string unit;               ///< the unit's `hostname` in pdudaemon's configuration
        std::string port;               ///< the outlet
        std::chrono::seconds delay{5};  ///< time for each action, and between off and on of a cycle
    };
    /// `commands` and `interrupt` must outlive it.
    PduDaemonPower(Outlet outlet, CommandRunner& commands, Interrupt& interrupt);

    [[nodiscard]] PowerResult<void> on() override;
    [[nodiscard]] PowerResult<void> off() override;
    [[nodiscard]] PowerResult<void> cycle() override;
    [[nodiscard]] PowerResult<PowerState> state() override;

  private:
    [[nodiscard]] PowerResult<void> request(const char* action, std::chrono::seconds delay, std::chrono::seconds wait);

    Outlet outlet_;
    CommandRunner* commands_;
    Interrupt* interrupt_;
};

}  // namespace trebuchet
