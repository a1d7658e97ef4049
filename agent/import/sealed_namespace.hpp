#pragma once

#include "common/base/result.hpp"

#include <filesystem>

namespace trebuchet {

/// Puts this process, which needs root, into a mount namespace and a network namespace of its own: no network but
/// loopback, and a /dev without devices (null, zero, full, random, urandom, tty, ptmx, pts, shm). `folder`: an empty
/// folder for that /dev. Fails if the kernel or a container does not permit it.
[[nodiscard]] Result<void> enter_sealed_namespace(const std::filesystem::path& folder);

}  // namespace trebuchet
