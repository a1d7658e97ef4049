#pragma once

#include "provision/power/power_control.hpp"
#include "provision/process/command.hpp"

#include <vector>

namespace trebuchet {

/// `reboot_script`, `poweroff_script` and `poweron_script` of the configuration: commands that are split as a shell
/// splits words and run without one, one after the other until one fails, 120 s each. The state can't be read back.
/// Without a reboot_script a cycle is off and on.
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
    [[nodiscard]] PowerResult<PowerState> state() override;

  private:
    [[nodiscard]] PowerResult<void> run(const char* key, const std::vector<std::string>& script);

    Scripts scripts_;
    CommandRunner* commands_;
};

}  // namespace trebuchet
