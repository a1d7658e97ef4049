#pragma once

#include "common/base/result.hpp"
#include "provision/config/connector_config.hpp"
#include "provision/serial/serial_capture.hpp"
#include "provision/stages/stage.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace trebuchet {

/// A step on a device's console, in this order: switch the power, send, wait for what the device prints.
struct ConsoleStep {
    enum class Power { none, off, on, cycle };

    std::string state;  ///< what the device is in afterwards, for messages: "bootloader"
    Power power = Power::none;
    std::optional<std::string> send;      ///< "\\r", "\\n", "\\t", "\\e" and "\\xHH" stand for the byte
    bool sends_password = false;          ///< sends the job's test_password instead, and "\r"
    std::chrono::seconds every{0};        ///< sends again so often, until `expect` matches; 0: once
    std::optional<SerialPattern> expect;  ///< a regular expression
    std::chrono::seconds timeout{60};     ///< for sending and for `expect`
};

/// How a device is brought from off to a shell: the list `console_strategy` of the configuration. Example:
///
///     console_strategy:
///       - {power: cycle, send: ' ', every: 1, expect: '=> $', timeout: 60, state: bootloader}
///       - {send_line: boot, expect: 'login: ', timeout: 120}
///       - {send_line: root, expect: 'Password: '}
///       - {send_password: true, expect: '# $', state: shell}
///
/// `send_line` is `send` with a carriage return. Fails for an unknown key or value, and names the step.
[[nodiscard]] Result<std::vector<ConsoleStep>> read_console_strategy(const ConnectorConfig& config);

/// Switches the power for a step; a StageResult of 0: continue.
using SwitchPower = std::function<StageResult(ConsoleStep::Power)>;

/// Runs the steps on `context.serial`. A step that does not get what it expects in time fails the stage with 1.
[[nodiscard]] StageResult run_console_strategy(const std::vector<ConsoleStep>& steps, const SwitchPower& switch_power,
                                               StageContext& context);

/// Replaces the escapes of ConsoleStep::send. Fails for any other backslash.
[[nodiscard]] Result<std::string> with_control_bytes(std::string_view text);

}  // namespace trebuchet
