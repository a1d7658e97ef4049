#pragma once

#include "common/base/result.hpp"
#include "provision/config/connector_config.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace trebuchet {

/// A virtual device's settings, from `default.yaml`.
struct QemuSettings {
    /// True: each job starts QEMU, and cleanup stops it. False: QEMU runs independently, as a board does; a job only
    /// switches its power.
    bool start = false;
    /// Keep the provisioned device as a snapshot for the next job with the same image. Needs `start`.
    bool snapshot = false;
    std::filesystem::path disk;        ///< a raw image: the device's SD card
    std::uint64_t disk_mib = 0;        ///< minimum size; a shorter file is extended
    std::filesystem::path qmp_socket;  ///< QEMU's control socket

    // For `start` only:
    std::string program;
    std::string machine;
    std::string accelerator;  ///< never guessed: /dev/kvm may be there and not work
    std::uint64_t memory_mib = 0;
    std::uint64_t cpus = 0;
    std::filesystem::path kernel;  ///< empty: the disk boots by itself
    std::filesystem::path initrd;
    std::string kernel_arguments;
    std::vector<std::string> arguments;  ///< additional QEMU arguments
    std::string ssh_host;                ///< this address is forwarded to the device's port 22
    std::uint16_t ssh_port = 0;
    std::string serial_host;
    std::uint16_t serial_port = 0;
    std::chrono::milliseconds boot_timeout{};  ///< from power-on to ssh
    std::string
        boot_prompt;       ///< regular expression for the console output of a device that is up; empty: check only ssh
    bool offline = false;  ///< the device has no network except the forwarded ports
};

inline constexpr const char* qemu_disk_device = "card";

/// Fails if a key is missing or keys contradict each other.
[[nodiscard]] Result<QemuSettings> read_qemu_settings(const ConnectorConfig& config);

/// QEMU's command line, including argv[0]. QEMU goes into the background when it is ready, with halted processors.
/// `overlay`: qcow2 file for changes to the disk. `snapshot`: name of a snapshot in `overlay` to start from.
[[nodiscard]] std::vector<std::string> qemu_command(const QemuSettings& settings,
                                                    const std::filesystem::path& overlay = {},
                                                    const std::string& snapshot = {});

}  // namespace trebuchet
