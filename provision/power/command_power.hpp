#pragma once

#include "provision/power/power_control.hpp"
#include "provision/process/command.hpp"

#include <vector>

namespace trebuchet {

/// Switches power with the commands in `reboot_script`, `poweroff_script` and `poweron_script`, in order, until one
/// fails; timeout 120 s each. As with the reference, those of `reboot_script` are split into words and run without a
/// shell, and the others are run by /bin/sh. The state cannot be read. Without a reboot_script, cycle() is off() and
/// on().
class CommandPower final : public PowerControl {
  public:
    struct Scripts {
        std::vector<std::string> reboot;
        std::vector<std::string> off;
        std::vector<std::string> on;
        const char* reboot_key = "reboot_script";  ///< its name in the configuration
    };
    /// `commands` must outlive it.
    CommandPower(Scripts scripts, CommandRunner& commands);

    [[nodiscard]] PowerResult<void> on() override;
    [[nodiscard]] PowerResult<void> off() override;
    [[nodiscard]] PowerResult<void> cycle() override;
    void end_cycle() override;
    [[nodiscard]] PowerResult<PowerState> state() override;

  private:
    [[nodiscard]] bool cycles_by_off_and_on() const;
    [[nodiscard]] PowerResult<void> run(const char* key, const std::vector<std::string>& script, bool by_shell);

    Scripts scripts_;
    CommandRunner* commands_;
};

}  // namespace trebuchet
