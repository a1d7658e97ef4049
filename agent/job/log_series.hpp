#pragma once

namespace trebuchet {

/// A job's two logs: what its commands print, and what was captured from the device's serial console.
enum class LogSeries { output, serial };

}  // namespace trebuchet
