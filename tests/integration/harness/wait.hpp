#pragma once

#include <chrono>
#include <functional>

namespace trebuchet::harness {

/// How long a program may take for what it has to do: far more than it needs on a busy machine. It bounds waiting, and
/// says nothing about speed.
inline constexpr std::chrono::seconds patience{60};

/// Asks every `pause` until the condition holds: true. False once `limit` is over, which is a failure of what is waited
/// for. The one place where tests wait.
[[nodiscard]] bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit = patience,
                              std::chrono::milliseconds pause = std::chrono::milliseconds(5));

/// The same, with a condition that asks a server whose faults hit the test's own requests as well: what it throws is
/// no.
[[nodiscard]] bool in_spite_of_faults(const std::function<bool()>& condition,
                                      std::chrono::milliseconds limit = patience);

}  // namespace trebuchet::harness
