#pragma once

#include "common/file/safe_file.hpp"
#include "tests/fakes/temporary_folder.hpp"
#include "tests/integration/harness/child_program.hpp"
#include "tests/integration/harness/https_client.hpp"
#include "tests/integration/harness/reserved_port.hpp"

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace trebuchet::harness {

/// How long a virtual board may take to boot on a busy machine. It takes 5 s on an idle one.
inline constexpr std::chrono::seconds boot_patience{240};

/// Returns the folder that tests/dut/build-image fills: `vmlinuz`, `initrd`, `image.zst`, `image-id`, `id_ed25519`. The
/// first call builds it, unless an earlier process has. Throws with the script's output if that fails.
[[nodiscard]] const std::filesystem::path& dut_image();

/// A virtual board with an empty SD card, started by tests/dut/run-board. It has its own ports and folder.
class Board {
  public:
    /// `is_on`: starts the board. Otherwise this only reserves its ports, and somebody else starts it.
    explicit Board(bool is_on = true);

    /// Waits until the serial console prints `text`. The console must have no other client.
    [[nodiscard]] bool prints(std::string_view text);

    /// Runs a command on the board over ssh, as its default user, with this private key.
    [[nodiscard]] Ending shell(const std::filesystem::path& key, const std::string& command) const;

    [[nodiscard]] const TemporaryFolder& folder() const { return folder_; }
    [[nodiscard]] std::filesystem::path card() const { return folder_ / "sd.img"; }
    /// default.yaml for the board, without the keys that start QEMU.
    [[nodiscard]] Json configuration() const;

  private:
    TemporaryFolder folder_;
    ReservedPort ssh_;
    ReservedPort serial_;
    std::optional<ChildProgram> program_;
};

}  // namespace trebuchet::harness
