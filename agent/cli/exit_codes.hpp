#pragma once

namespace trebuchet {

/// What a user got wrong: the command line, a file that it names, the configuration.
inline constexpr int exit_usage = 2;

/// Another process serves this device.
inline constexpr int exit_busy = 3;

}  // namespace trebuchet
