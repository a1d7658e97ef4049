#pragma once

namespace trebuchet {

/// A descriptor of the supervisor program: a sealed file in memory, created at the first call; -1 where that is not
/// allowed. The file is executable but not readable, so the kernel keeps other processes of the same user from
/// inspecting a process that runs it, from its first instruction on.
[[nodiscard]] int supervisor_program();

}  // namespace trebuchet
