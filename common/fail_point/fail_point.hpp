#pragma once

namespace trebuchet {

/// A place at which a test may end the program as a crash or a power cut would. The programs that are shipped link
/// `trebuchet_fail_point`, in which this does nothing. One that links the objects of `trebuchet_fail_point_armed` reads
/// its orders from the environment:
///
///     TREBUCHET_FAIL_POINT=NAME[:N]     sends SIGKILL to itself when it comes to NAME, for the N-th time (1)
///     TREBUCHET_FAIL_POINT_TRACE=FILE   appends each NAME that it comes to, a line each
///
/// On any thread.
void fail_point(const char* name) noexcept;

}  // namespace trebuchet
