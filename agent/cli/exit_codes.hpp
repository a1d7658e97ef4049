#pragma once

namespace trebuchet {

/// A mistake of the user: in the command line, in a file that it names, or in the configuration.
inline constexpr int exit_usage = 2;

/// `status`: an agent does not run. `check-config --online`: a check found an error.
inline constexpr int exit_not_running = 1;

/// `import`: something on the host is to be mended first.
inline constexpr int exit_to_mend = 1;

/// Another process serves this device.
inline constexpr int exit_busy = 3;

}  // namespace trebuchet
