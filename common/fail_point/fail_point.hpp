#pragma once

namespace trebuchet {

/// A point at which tests can crash the program. Shipped programs link `trebuchet_fail_point`, where this does nothing.
/// Programs with `trebuchet_fail_point_armed` read environment variables:
///
///     TREBUCHET_FAIL_POINT=NAME[:N]     send SIGKILL to ourselves at NAME, the N-th time (default 1)
///     TREBUCHET_FAIL_POINT_TRACE=FILE   append each NAME as a line
///
/// Thread-safe.
void fail_point(const char* name) noexcept;

}  // namespace trebuchet
