#include "provision/connectors/sd_mux.hpp"

#include "common/base/text.hpp"
#include "provision/process/last_line.hpp"
#include "provision/ssh/shell_quote.hpp"

#include <sstream>

namespace trebuchet {
namespace {

/// The part before the kind of mux: "sudo muxctl" in "sudo muxctl sdwire set TS"; "" if there is none.
std::string program_of(const std::string& command) {
    for (const auto* kind : {" sdwire ", " typecmux "}) {
        if (const auto at = command.find(kind); at != std::string::npos) return command.substr(0, at);
    }
    return {};
}

}  // namespace

std::vector<SdMux::HostCommand> SdMux::host_commands() const {
    if (commands_.media == MuxMedia::configured) return {{commands_.to_host}};
    // Takes both media away from the device, so that it cannot boot from the other one.
    const auto program = program_of(commands_.to_host);
    return {{program + " sdwire plug_to_self", commands_.media == MuxMedia::sd},
            {program + " typecmux plug_to_self", commands_.media == MuxMedia::usb}};
}

std::string SdMux::device_command() const {
    switch (commands_.media) {
        case MuxMedia::sd:
            return program_of(commands_.to_host) + " sdwire set DUT";
        case MuxMedia::usb:
            return program_of(commands_.to_host) + " typecmux set DUT";
        case MuxMedia::configured:
            break;
    }
    return commands_.to_device;
}

bool SdMux::is_stable() const {
    if (commands_.is_stable) return true;
    std::istringstream words(commands_.to_host);
    for (std::string word; words >> word;) {
        if (word == "sdwire" || word == "typecmux") return true;
    }
    return false;
}

Result<std::string> SdMux::device_of(const std::string& output) const {
    if (commands_.media == MuxMedia::configured) return commands_.test_device;
    std::string device(last_line(output));
    if (!device.starts_with("/dev/") || device.find_first_of(" \n") != std::string::npos) {
        return fail("the mux said " + trebuchet::quoted(output, 200) + ", expected the card's device, /dev/…");
    }
    return device;
}

Result<SdMux::Commands> commands_of_mux(const std::string& kind, const std::string& device) {
    SdMux::Commands commands;
    commands.is_stable = true;
    if (kind == "sdwire") {
        if (device.empty()) return fail("sd_mux_device is missing: expected the serial number of the SDWire");
        const auto mux = "sudo sd-mux-ctrl --device-serial=" + shell_quote(device);
        const auto switched = [&](const char* option, const char* side) {
            return mux + " " + option + " && " + mux + " --status | grep -q 'connected to: " + side + "'";
        };
        commands.to_host = switched("--ts", "TS");
        commands.to_device = switched("--dut", "DUT");
        return commands;
    }
    if (kind == "usbsdmux") {
        if (!device.starts_with("/dev/")) {
            return fail("sd_mux_device: found " + trebuchet::quoted(device) +
                        ", expected the USBSDMux's device, such as /dev/usb-sd-mux/id-00042.00042");
        }
        const auto mux = "sudo usbsdmux " + shell_quote(device);
        const auto switched = [&](const char* side) {
            return mux + " " + side + " && " + mux + " get | grep -qx " + side;
        };
        commands.to_host = switched("host");
        commands.to_device = switched("dut");
        return commands;
    }
    return fail("sd_mux: found " + trebuchet::quoted(kind) + ", expected sdwire or usbsdmux");
}

Result<SdMux::Commands> read_mux_commands(const StageContext& context) {
    SdMux::Commands commands;
    const auto& scalars = context.config.scalars;
    const auto read = [&](const char* key, std::string& value) {
        if (const auto found = scalars.find(key); found != scalars.end() && !found->second.empty()) {
            value = found->second;
        }
    };
    std::string kind;
    std::string device;
    read("sd_mux", kind);
    read("sd_mux_device", device);
    if (!kind.empty()) {
        auto known = commands_of_mux(kind, device);
        if (!known) return known;
        commands = std::move(*known);
    }
    read("control_switch_local_cmd", commands.to_host);
    read("control_switch_device_cmd", commands.to_device);
    read("test_device", commands.test_device);
    const auto media = context.job.provision_text("media");
    if (!media) return fail(media.error());
    if (*media) {
        if (**media != "sd" && **media != "usb") {
            return fail("provision_data.media: found " + trebuchet::quoted(**media) + ", expected sd or usb");
        }
        commands.media = **media == "sd" ? MuxMedia::sd : MuxMedia::usb;
        if (program_of(commands.to_host).empty()) {
            return fail(
                "The \"control_switch_local_cmd\" config must include a mux CLI command followed by \"sdwire\" or "
                "\"typecmux\" when \"media\" is specified in \"provision_data\"");
        }
    } else if (!commands.test_device.starts_with("/")) {
        return fail("test_device: found " + trebuchet::quoted(commands.test_device) +
                    ", expected the card's device on the control host, such as /dev/sda");
    }
    return commands;
}

}  // namespace trebuchet
