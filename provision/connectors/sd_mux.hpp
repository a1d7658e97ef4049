#pragma once

#include "common/base/result.hpp"
#include "provision/ssh/ssh.hpp"
#include "provision/stages/stage.hpp"

#include <string>

namespace trebuchet {

/// What can be plugged to the control host or to the device.
enum class MuxMedia {
    configured,  ///< one card, `test_device`, by control_switch_local_cmd and control_switch_device_cmd
    sd,          ///< by the mux's own commands, which tell the card's device: `sdwire plug_to_self`
    usb,         ///< likewise, `typecmux plug_to_self`
};

/// The switch between a card and the two that read it (SDWire, USBSDMux, USB-C mux), by its command on the control
/// host.
class SdMux {
  public:
    struct Commands {
        std::string to_host = "stm -ts";
        std::string to_device = "stm -dut";
        std::string test_device;
        MuxMedia media = MuxMedia::configured;
    };
    explicit SdMux(Commands commands) : commands_(std::move(commands)) {}

    /// The command lines that plug the card to the control host; the media's own comes last and prints its device.
    [[nodiscard]] std::vector<std::string> host_commands() const;
    [[nodiscard]] std::string device_command() const;
    /// Of the output of the last of host_commands().
    [[nodiscard]] Result<std::string> device_of(const std::string& output) const;

  private:
    Commands commands_;
};

/// Of the configuration and of provision_data's `media`.
[[nodiscard]] Result<SdMux::Commands> read_mux_commands(const StageContext& context);

}  // namespace trebuchet
