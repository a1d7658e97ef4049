#pragma once

#include "common/base/result.hpp"
#include "provision/process/command.hpp"
#include "provision/process/interrupt.hpp"
#include "provision/qemu/qemu_settings.hpp"

#include <filesystem>
#include <string>

namespace trebuchet {

/// A QEMU that jobs start and end (`qemu_start`), with its disk and, if wanted, the snapshot of a provisioned device.
///
///     gone ──start──▶ halted ──run──▶ running ──keep──▶ running, and a snapshot for later
///     gone or running ──restore──▶ halted, as it was when kept
///     any of them ──end──▶ gone
///
/// The snapshot lies beside the disk: `<disk>.qcow2` holds the changes and the memory, `<disk>.snapshot` says of what;
/// the latter is only there while both belong together.
class QemuDevice {
  public:
    /// `commands` and `interrupt` must outlive it.
    QemuDevice(QemuSettings settings, CommandRunner& commands, Interrupt& interrupt);

    /// Ends QEMU, if it runs.
    [[nodiscard]] Result<void> end();
    /// Makes the disk's file as long as it should be at least, and forgets the snapshot: the disk is to be written.
    [[nodiscard]] Result<void> open_disk();
    [[nodiscard]] Result<void> start();
    [[nodiscard]] Result<void> run();

    /// Keeps the device as it is. `image` names what was written to its disk.
    [[nodiscard]] Result<void> keep(const std::string& image);
    /// Whether the snapshot that there is, is of this image.
    [[nodiscard]] bool has_kept(const std::string& image) const;
    [[nodiscard]] Result<void> restore();

  private:
    [[nodiscard]] Result<void> launch(const std::vector<std::string>& argv);
    [[nodiscard]] std::filesystem::path overlay() const;
    [[nodiscard]] std::filesystem::path record() const;

    QemuSettings settings_;
    CommandRunner* commands_;
    Interrupt* interrupt_;
};

}  // namespace trebuchet
