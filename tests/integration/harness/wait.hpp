#pragma once

#include <chrono>
#include <functional>

namespace trebuchet::harness {

/// How long a test waits for a program: far longer than it needs, even on a busy machine. This is a bound, not a
/// measure of speed.
inline constexpr std::chrono::seconds patience{60};

/// Checks the condition every `pause`. Returns true when it holds, false after `limit`. This is the only place where
/// tests wait.
[[nodiscard]] bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit = patience,
                              std::chrono::milliseconds pause = std::chrono::milliseconds(5));

/// The same for a condition that asks a server whose faults may also hit the test's requests: an exception counts as
/// false.
[[nodiscard]] bool in_spite_of_faults(const std::function<bool()>& condition,
                                      std::chrono::milliseconds limit = patience);

}  // namespace trebuchet::harness
