#pragma once

#include "common/base/result.hpp"
#include "provision/ssh/ssh.hpp"
#include "provision/stages/stage.hpp"

#include <string>
#include <string_view>

namespace trebuchet {

/// The host that switches and writes a device's SD card, used by ssh. It is often a single-board computer and
/// unreliable, so run() retries.
class ControlHost {
  public:
    /// `context` must outlive it.
    ControlHost(SshTarget target, StageContext& context);

    /// Returns the command's output. Up to 13 tries, 5 s apart; timeout 60 s each.
    [[nodiscard]] Result<std::string> run(const std::string& command_line);
    [[nodiscard]] Result<std::string> run_once(const std::string& command_line);
    /// Feeds a script to the remote /bin/sh on stdin. No retries.
    [[nodiscard]] Result<std::string> run_script(std::string_view script);

    /// The stage's result after a failure: 128 + signal after a stop signal; 46 if the host is unreachable although it
    /// was power-cycled; otherwise 1.
    [[nodiscard]] StageResult failure(const Error& error);

    [[nodiscard]] Ssh& ssh() { return ssh_; }

  private:
    [[nodiscard]] Result<std::string> result_of(const std::string& what, CommandResult result);

    StageContext* context_;
    Ssh ssh_;
    bool is_unreachable_ = false;
};

/// Power-cycles the control host with `control_host_reboot_script` and waits up to `control_host_reboot_timeout` for
/// it. Does nothing without a script or if DISABLE_CONTROL_HOST_POWERCYCLE is set.
[[nodiscard]] StageResult restart_control_host(StageContext& context);

}  // namespace trebuchet
