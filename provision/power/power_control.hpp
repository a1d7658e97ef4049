#pragma once

#include <string>

#include <tl/expected.hpp>

namespace trebuchet {

enum class PowerState { off, on, unknown };

struct PowerError {
    enum class Kind {
        failed,       ///< it may work at the next try
        timed_out,    ///< likewise; some types of devices tell the two apart
        refused,      ///< it never will: the configuration lacks something
        interrupted,  ///< we were told to stop
    };
    std::string message;  ///< for people; no secrets
    Kind kind = Kind::failed;
};

template <typename T>
using PowerResult = tl::expected<T, PowerError>;

/// The switch of a device's power. A new kind of switch derives from it, and make_power knows its name. Calls block
/// until the switch has done it, with limits of their own.
class PowerControl {
  public:
    virtual ~PowerControl() = default;
    [[nodiscard]] virtual PowerResult<void> on() = 0;
    [[nodiscard]] virtual PowerResult<void> off() = 0;
    /// Off and on again, or whatever restarts the device without asking it.
    [[nodiscard]] virtual PowerResult<void> cycle() = 0;
    /// `unknown`: this switch can't tell.
    [[nodiscard]] virtual PowerResult<PowerState> state() = 0;
};

[[nodiscard]] inline tl::unexpected<PowerError> power_error(std::string message,
                                                            PowerError::Kind kind = PowerError::Kind::failed) {
    return tl::unexpected(PowerError{std::move(message), kind});
}

}  // namespace trebuchet
