#pragma once

#include "common/base/backoff.hpp"
#include "common/base/clock.hpp"
#include "provision/log/connector_log.hpp"
#include "provision/power/power_control.hpp"
#include "provision/process/interrupt.hpp"

#include <functional>
#include <memory>

namespace trebuchet {

/// All of it must outlive the power control.
struct PowerTools {
    const ConnectorLog& log;
    Interrupt& interrupt;
    const Clock& clock;
    std::function<double()> jitter;  ///< numbers in [0, 1), for Backoff
};

/// Adds retries to a flaky switch: up to four tries, 1 to 10 s apart. If the state can be read, it must be right within
/// 10 s after a try. Returns the last try's error. A cycle that is told to stop leaves the device switched on.
class RetryingPower final : public PowerControl {
  public:
    RetryingPower(std::unique_ptr<PowerControl> inner, PowerTools tools);

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
