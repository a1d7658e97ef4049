#pragma once

#include "provision/power/power_control.hpp"
#include "provision/process/command.hpp"
#include "provision/process/interrupt.hpp"

#include <chrono>
#include <string>

namespace trebuchet {

/// An outlet of a power distribution unit behind pdudaemon, over its HTTP listener (`GET /power/control/on?…`), by the
/// system's curl. pdudaemon queues what it accepts and can't be asked for the state, so that switching includes waiting
/// until it has probably been done.
class PduDaemonPower final : public PowerControl {
  public:
    struct Outlet {
        std::string url;                ///< "http://host:16421"
        std::string unit;               ///< `hostname` of the unit, as pdudaemon's configuration has it
        std::string port;               ///< the unit's outlet
        std::chrono::seconds delay{5};  ///< of each action, and between off and on of a cycle
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
