#pragma once

#include <string>

#include <tl/expected.hpp>

namespace trebuchet {

enum class PowerState { off, on, unknown };

struct PowerError {
    enum class Kind {
        failed,         ///< a retry may help
        timed_out,      ///< a retry may help; some connector types treat this as a failed recovery
        refused,        ///< a retry cannot help: the configuration is incomplete
        not_installed,  ///< a retry cannot help: the switch's program does not exist
        interrupted,    ///< we got a stop signal
    };
    std::string message;  ///< contains no secrets
    Kind kind = Kind::failed;
};

template <typename T>
using PowerResult = tl::expected<T, PowerError>;

/// Switches a device's power. Calls block until the switch is done; each implementation has its own timeout. To add a
/// kind, derive from this class and add its name to make_power.
class PowerControl {
  public:
    virtual ~PowerControl() = default;
    [[nodiscard]] virtual PowerResult<void> on() = 0;
    [[nodiscard]] virtual PowerResult<void> off() = 0;
    /// Off and on, or another hard reset.
    [[nodiscard]] virtual PowerResult<void> cycle() = 0;
    /// After a cycle that a stop signal ended: switches on if the cycle may have left the device off. Best effort,
    /// takes a few seconds at most, and ignores the signal.
    virtual void end_cycle() {}
    /// `unknown`: this kind of switch cannot read the state.
    [[nodiscard]] virtual PowerResult<PowerState> state() = 0;
};

[[nodiscard]] inline tl::unexpected<PowerError> power_error(std::string message,
                                                            PowerError::Kind kind = PowerError::Kind::failed) {
    return tl::unexpected(PowerError{std::move(message), kind});
}

}  // namespace trebuchet
