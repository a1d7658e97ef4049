#pragma once

namespace trebuchet {

/// A descriptor of the supervisor as a program in memory, sealed, made at the first call; -1 where that is not allowed.
/// The agent is its owner but may not read the file, so that the kernel keeps everybody of the same user from looking
/// into a process that runs it, from its first instruction on.
[[nodiscard]] int supervisor_program();

}  // namespace trebuchet
