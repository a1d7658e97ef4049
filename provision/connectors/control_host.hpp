#pragma once

#include "common/base/result.hpp"
#include "provision/ssh/ssh.hpp"
#include "provision/stages/stage.hpp"

#include <string>
#include <string_view>

namespace trebuchet {

/// Where partitions of the device's disk are mounted on the host that writes it.
[[nodiscard]] std::string mount_folder(const ConnectorConfig& config);

/// A script that fails if the host's own system is on the disk. Otherwise unmounts what a desktop or an earlier run
/// mounted.
[[nodiscard]] std::string release_script(const std::string& device);

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

    /// Ends what an earlier use of this device left running there, such as a dd that still writes `disk` ("": none), or
    /// `program`, which only this device uses there.
    /// Fails if it cannot be ended. Only logged if the host does not answer: whoever needs it tries again.
    [[nodiscard]] Result<void> end_leftovers(const std::string& disk, const std::string& program = "");

    /// The stage's result after a failure: 128 + signal after a stop signal; otherwise 1.
    [[nodiscard]] StageResult failure(const Error& error);

    [[nodiscard]] Ssh& ssh() { return ssh_; }

  private:
    [[nodiscard]] Result<std::string> result_of(const std::string& what, CommandResult result);

    StageContext* context_;
    Ssh ssh_;
};

}  // namespace trebuchet
