#pragma once

#include "provision/power/power_control.hpp"
#include "provision/process/command.hpp"
#include "provision/process/interrupt.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace trebuchet {

/// A switch that can be asked for its state, such as a plug in the network. One request each; retries are
/// RetryingPower's.
class Outlet {
  public:
    virtual ~Outlet() = default;
    [[nodiscard]] virtual PowerResult<void> set(bool is_on, CommandRunner& commands) = 0;
    [[nodiscard]] virtual PowerResult<PowerState> read(CommandRunner& commands) = 0;
};

/// Power by an outlet. A cycle is off, a check that it is off, `delay`, and on. A cycle that is told to stop ends where
/// it is; RetryingPower calls end_cycle().
class OutletPower final : public PowerControl {
  public:
    /// `commands` and `interrupt` must outlive it.
    OutletPower(std::unique_ptr<Outlet> outlet, std::chrono::seconds delay, CommandRunner& commands,
                Interrupt& interrupt)
        : outlet_(std::move(outlet)), delay_(delay), commands_(&commands), interrupt_(&interrupt) {}

    [[nodiscard]] PowerResult<void> on() override { return outlet_->set(true, *commands_); }
    [[nodiscard]] PowerResult<void> off() override { return outlet_->set(false, *commands_); }
    [[nodiscard]] PowerResult<void> cycle() override;
    void end_cycle() override;
    [[nodiscard]] PowerResult<PowerState> state() override { return outlet_->read(*commands_); }

  private:
    [[nodiscard]] PowerResult<void> wait_until_off();

    std::unique_ptr<Outlet> outlet_;
    std::chrono::seconds delay_;
    CommandRunner* commands_;
    Interrupt* interrupt_;
};

}  // namespace trebuchet
