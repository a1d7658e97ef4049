#pragma once

#include "common/base/result.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace trebuchet {

/// Connects and waits for a server's first words, "SSH-…". A connection alone is no sign: QEMU's user networking takes
/// one while its guest is down.
[[nodiscard]] Result<void> check_ssh_banner(const std::string& host, std::uint16_t port,
                                            std::chrono::milliseconds timeout = std::chrono::seconds(5));

}  // namespace trebuchet
