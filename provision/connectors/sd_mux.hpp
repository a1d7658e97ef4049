#pragma once

#include "common/base/result.hpp"
#include "provision/ssh/ssh.hpp"
#include "provision/stages/stage.hpp"

#include <string>

namespace trebuchet {

/// Which medium the mux switches between control host and device.
enum class MuxMedia {
    configured,  ///< the card `test_device`, with control_switch_local_cmd and control_switch_device_cmd
    sd,          ///< with the mux's command, which prints the medium's device: `sdwire plug_to_self`
    usb,         ///< likewise: `typecmux plug_to_self`
};

/// A mux (SDWire, USBSDMux, USB-C mux) that connects a medium to the control host or to the device. Builds the
/// commands; the control host runs them.
class SdMux {
  public:
    struct Commands {
        std::string to_host = "stm -ts";
        std::string to_device = "stm -dut";
        std::string test_device;
        MuxMedia media = MuxMedia::configured;
        bool is_stable = false;  ///< see is_stable()
    };
    explicit SdMux(Commands commands) : commands_(std::move(commands)) {}

    struct HostCommand {
        std::string line;
        bool prints_device = true;  ///< the medium's; false: it may fail
    };
    /// Commands that connect the medium to the control host.
    [[nodiscard]] std::vector<HostCommand> host_commands() const;
    /// An SDWire or a USB-C mux, which needs no restart of its host before each use.
    [[nodiscard]] bool is_stable() const;
    [[nodiscard]] std::string device_command() const;
    /// Parses the output of the command that prints the device.
    [[nodiscard]] Result<std::string> device_of(const std::string& output) const;

  private:
    Commands commands_;
};

/// The commands of a kind of mux that is known, each of which also reads back that the mux has switched:
///
///     sdwire      `device`: the serial number     sd-mux-ctrl --device-serial=SERIAL --ts, --dut, --status
///     usbsdmux    `device`: the control device    usbsdmux /dev/usb-sd-mux/id-… host, dut, get
///
/// They run on the control host, so `device` is quoted. Fails for another kind, and for a `device` that cannot be one.
[[nodiscard]] Result<SdMux::Commands> commands_of_mux(const std::string& kind, const std::string& device);

/// Reads the configuration and provision_data's `media`.
[[nodiscard]] Result<SdMux::Commands> read_mux_commands(const StageContext& context);

}  // namespace trebuchet
