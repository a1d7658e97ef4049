#pragma once

#include "common/base/result.hpp"
#include "provision/process/command.hpp"
#include "provision/process/interrupt.hpp"
#include "provision/qemu/qemu_settings.hpp"

#include <filesystem>
#include <string>

namespace trebuchet {

/// A QEMU that jobs start and stop (`qemu_start`), with its disk and an optional snapshot of the provisioned device.
///
///     stopped ──start──▶ halted ──resume──▶ running ──save_snapshot──▶ running, with a snapshot
///     stopped or running ──restore_snapshot──▶ halted, in the snapshot's state
///     any state ──stop──▶ stopped
///
/// The snapshot is beside the disk: `<disk>.qcow2` contains changes and memory, `<disk>.snapshot` names the image. The
/// second file exists only while disk and snapshot match.
class QemuDevice {
  public:
    /// `commands` and `interrupt` must outlive it.
    QemuDevice(QemuSettings settings, CommandRunner& commands, Interrupt& interrupt);

    /// Stops QEMU if it runs.
    [[nodiscard]] Result<void> stop();
    /// Creates the disk's file or extends it to `disk_mib`, and deletes the snapshot. Call this before writing an
    /// image.
    [[nodiscard]] Result<void> prepare_disk();
    [[nodiscard]] Result<void> start();
    [[nodiscard]] Result<void> resume();

    /// `image` identifies what was written to the disk.
    [[nodiscard]] Result<void> save_snapshot(const std::string& image);
    [[nodiscard]] bool has_snapshot_of(const std::string& image) const;
    [[nodiscard]] Result<void> restore_snapshot();

  private:
    [[nodiscard]] Result<void> launch(const std::vector<std::string>& argv);
    [[nodiscard]] std::filesystem::path overlay() const;
    [[nodiscard]] std::filesystem::path record() const;

    QemuSettings settings_;
    CommandRunner* commands_;
    Interrupt* interrupt_;
};

}  // namespace trebuchet
