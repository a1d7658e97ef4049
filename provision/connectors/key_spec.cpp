#include "provision/connectors/key_spec.hpp"

namespace trebuchet {

const ConnectorKeys& common_keys() {
    static const ConnectorKeys keys{
        {
            {"agent_name", KeyKind::text, "", "name of the agent, for log lines and device-info.json"},
            {"device_ip", KeyKind::text, "", "address or name of the device"},
            {"device_port", KeyKind::port, "22", "port of the device's ssh"},
            {"device_key_file", KeyKind::text, "", "private key for the device's ssh; default: ssh's own keys"},
            {"reboot_script", KeyKind::commands, "", "commands that power-cycle the device, run without a shell"},
            {"poweroff_script", KeyKind::commands, "", "commands that switch the device's power off, run by /bin/sh"},
            {"poweron_script", KeyKind::commands, "", "commands that switch the device's power on, run by /bin/sh"},
            {"power",
             KeyKind::choice,
             "",
             "kind of power switch; without it the three scripts are used",
             false,
             false,
             {"pdudaemon", "qmp", "tasmota", "shelly", "uhubctl"}},
            {"power_url", KeyKind::text, "",
             "URL of pdudaemon's HTTP listener, http://host:16421, or of the plug, with a login if it wants one"},
            {"power_unit", KeyKind::text, "", "the power distribution unit's hostname in pdudaemon's configuration"},
            {"power_outlet", KeyKind::text, "",
             "number of the outlet; of a plug by default the first: 1 of tasmota, 0 of shelly"},
            {"power_hub", KeyKind::text, "", "location of the USB hub, as uhubctl prints it: 1-1.4"},
            {"power_command", KeyKind::command, "uhubctl", "how uhubctl is run, such as sudo uhubctl"},
            {"power_delay", KeyKind::seconds, "5", "time that the switch needs, and pause between off and on"},
            {"power_socket", KeyKind::text, "", "QMP socket of the QEMU to switch"},
            {"serial_host", KeyKind::text, "", "host of the serial console"},
            {"serial_port", KeyKind::port, "", "TCP port of the serial console (raw: ser2net's accepter tcp)"},
            {"serial_socket", KeyKind::text, "", "unix socket of the serial console"},
            {"serial_device", KeyKind::text, "", "local serial port, such as /dev/ttyUSB0"},
            {"serial_speed", KeyKind::number, "115200", "speed of serial_device in baud"},
            {"serial_timestamps", KeyKind::flag, "false", "start each line of the serial logs with a timestamp"},
            {"control_host", KeyKind::text, "", "address or name of the host that controls the device"},
            {"control_port", KeyKind::port, "22", "port of the control host's ssh"},
            {"control_user", KeyKind::text, "ubuntu", "user on the control host"},
            {"control_key_file", KeyKind::text, "", "private key for the control host's ssh"},
            {"control_host_reboot_script", KeyKind::commands, "",
             "commands that power-cycle the control host, run before each provision"},
            {"control_host_reboot_timeout", KeyKind::seconds, "300",
             "timeout for the control host to come back, at least 300; muxpi: how long it is left alone, 120"},
            {"max_reserve_timeout", KeyKind::seconds, "", "the longest that a reservation can be extended to"},
            {"node_name", KeyKind::text, "", "name of the device, for people"},
            {"env", KeyKind::map, "", "environment variables for test commands"},
        },
        {},
    };
    return keys;
}

std::string name_of(KeyKind kind) {
    switch (kind) {
        case KeyKind::text:
            return "text";
        case KeyKind::number:
            return "a number";
        case KeyKind::port:
            return "a port, 1 to 65535";
        case KeyKind::flag:
            return "true or false";
        case KeyKind::seconds:
            return "a number of seconds";
        case KeyKind::command:
            return "a command";
        case KeyKind::commands:
            return "a list of commands";
        case KeyKind::map:
            return "names and values";
        case KeyKind::records:
            return "a list of names and values";
        case KeyKind::choice:
            return "one of the listed values";
        case KeyKind::value:
            return "any value";
    }
    return "a value";
}

}  // namespace trebuchet
