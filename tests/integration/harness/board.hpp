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

/// How long a virtual board may take to boot on a machine that has much else to do. It takes 5 s on an idle one.
inline constexpr std::chrono::seconds boot_patience{240};

/// What tests/dut/build-image made: `vmlinuz`, `initrd`, `image.zst`, `image-id`, `id_ed25519`. Made at the first call,
/// in this process or an earlier one. Throws, with what it said, if it can't be made.
[[nodiscard]] const std::filesystem::path& dut_image();

/// A virtual board that exists beside the agent, as tests/dut/run-board starts it, with an empty SD card. It has its
/// ports and its folder to itself.
class Board {
  public:
    /// `is_on`: whether it runs; else it is only its ports, and somebody else starts it.
    explicit Board(bool is_on = true);

    /// Waits until its serial console, for which there may be no other client, prints `text`.
    [[nodiscard]] bool prints(std::string_view text);

    /// Runs a command on it over ssh, as its user, with a private key.
    [[nodiscard]] Ending shell(const std::filesystem::path& key, const std::string& command) const;

    [[nodiscard]] const TemporaryFolder& folder() const { return folder_; }
    [[nodiscard]] std::filesystem::path card() const { return folder_ / "sd.img"; }
    /// default.yaml for it, without what says how QEMU comes to run.
    [[nodiscard]] Json configuration() const;

  private:
    TemporaryFolder folder_;
    ReservedPort ssh_;
    ReservedPort serial_;
    std::optional<ChildProgram> program_;
};

}  // namespace trebuchet::harness
