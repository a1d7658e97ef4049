#pragma once

#include "common/base/result.hpp"
#include "provision/ssh/ssh.hpp"
#include "provision/stages/stage.hpp"

#include <string>
#include <string_view>

namespace trebuchet {

/// The host that switches and writes a device's card, by ssh. Single-board computers too: what fails is tried again.
class ControlHost {
  public:
    /// `context` must outlive it.
    ControlHost(SshTarget target, StageContext& context);

    /// Returns what the command printed. Tried 13 times with 5 s between, each with a limit of 60 s.
    [[nodiscard]] Result<std::string> run(const std::string& command_line);
    [[nodiscard]] Result<std::string> run_once(const std::string& command_line);
    /// Once, by the remote /bin/sh from its stdin.
    [[nodiscard]] Result<std::string> run_script(std::string_view script);

    /// The stage's result after one of these failed: 128 + signal if we were told to stop; 46 if nothing reaches the
    /// host though it was power-cycled; else 1.
    [[nodiscard]] StageResult failure(const Error& error);

    [[nodiscard]] Ssh& ssh() { return ssh_; }

  private:
    [[nodiscard]] Result<std::string> result_of(const std::string& what, CommandResult result);

    StageContext* context_;
    Ssh ssh_;
    bool is_unreachable_ = false;
};

/// Power-cycles the control host by `control_host_reboot_script`, if there is one and DISABLE_CONTROL_HOST_POWERCYCLE
/// is not set, and waits until it is back (`control_host_reboot_timeout`).
[[nodiscard]] StageResult restart_control_host(StageContext& context);

}  // namespace trebuchet
