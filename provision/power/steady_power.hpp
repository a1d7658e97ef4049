#pragma once

#include "common/base/backoff.hpp"
#include "common/base/clock.hpp"
#include "provision/log/connector_log.hpp"
#include "provision/power/power_control.hpp"
#include "provision/process/interrupt.hpp"

#include <functional>
#include <memory>

namespace trebuchet {

/// What a steady switch works with; everything must outlive it.
struct PowerTools {
    const ConnectorLog& log;
    Interrupt& interrupt;
    const Clock& clock;
    std::function<double()> jitter;  ///< numbers in [0, 1), for Backoff
};

/// A switch around a flaky one: what fails is tried again, four times in all with 1 to 10 s between, and what can be
/// read back must have become so within 10 s to count. The error is the last try's.
class SteadyPower final : public PowerControl {
  public:
    SteadyPower(std::unique_ptr<PowerControl> inner, PowerTools tools);

    [[nodiscard]] PowerResult<void> on() override;
    [[nodiscard]] PowerResult<void> off() override;
    [[nodiscard]] PowerResult<void> cycle() override;
    [[nodiscard]] PowerResult<PowerState> state() override;

  private:
    using Action = PowerResult<void> (PowerControl::*)();
    [[nodiscard]] PowerResult<void> retry(Action action, PowerState wanted);
    [[nodiscard]] PowerResult<void> verify(PowerState wanted);

    std::unique_ptr<PowerControl> inner_;
    PowerTools tools_;
};

}  // namespace trebuchet
