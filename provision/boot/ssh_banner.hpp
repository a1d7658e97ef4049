#pragma once

#include "common/base/result.hpp"

#include <chrono>
#include <cstdint>
#include <string>

namespace trebuchet {

/// Connects and waits for the server's banner, "SSH-…". A connection alone proves nothing: QEMU's user networking
/// accepts one while its guest is down.
[[nodiscard]] Result<void> check_ssh_banner(const std::string& host, std::uint16_t port,
                                            std::chrono::milliseconds timeout = std::chrono::seconds(5));

}  // namespace trebuchet
