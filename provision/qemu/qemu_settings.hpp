#pragma once

#include "common/base/result.hpp"
#include "provision/config/connector_config.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace trebuchet {

/// A virtual device, as `default.yaml` describes it.
struct QemuSettings {
    /// Whether a job starts QEMU and ends it. Else it runs beside the agent, as a board does, and is only switched.
    bool start = false;
    /// Whether the provisioned device is kept as a snapshot, for the next job with the same image. Needs `start`.
    bool snapshot = false;
    std::filesystem::path disk;        ///< a raw image: the device's SD card
    std::uint64_t disk_mib = 0;        ///< what it is made as long as, if it is shorter
    std::filesystem::path qmp_socket;  ///< where QEMU is told what to do

    // The rest is for starting it.
    std::string program;
    std::string machine;
    std::string accelerator;  ///< never guessed: /dev/kvm may be there and not work
    std::uint64_t memory_mib = 0;
    std::uint64_t cpus = 0;
    std::filesystem::path kernel;  ///< empty: the disk boots by itself
    std::filesystem::path initrd;
    std::string kernel_arguments;
    std::vector<std::string> arguments;  ///< further ones
    std::string ssh_host;                ///< its port 22 is forwarded from here
    std::uint16_t ssh_port = 0;
    std::string serial_host;
    std::uint16_t serial_port = 0;
    std::chrono::milliseconds boot_timeout{};  ///< from power-on to ssh
    std::string boot_prompt;  ///< regular expression: what its console prints when it is up; empty: only ssh tells
    bool offline = false;     ///< it reaches nothing but the ports forwarded to it
};

inline constexpr const char* qemu_disk_device = "card";

/// Fails on what is missing or doesn't fit together.
[[nodiscard]] Result<QemuSettings> read_qemu_settings(const ConnectorConfig& config);

/// QEMU's command line, argv[0] included: it puts itself into the background once it is ready, with the processors
/// halted. `overlay`: the disk's changes go into this qcow2 file. `snapshot`: go on from this one of the overlay.
[[nodiscard]] std::vector<std::string> qemu_command(const QemuSettings& settings,
                                                    const std::filesystem::path& overlay = {},
                                                    const std::string& snapshot = {});

}  // namespace trebuchet
