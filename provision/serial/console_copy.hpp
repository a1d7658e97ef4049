#pragma once

#include "common/base/clock.hpp"
#include "provision/log/connector_log.hpp"
#include "provision/process/interrupt.hpp"
#include "provision/serial/serial_console.hpp"

namespace trebuchet {

/// Copies what a serial console prints to `out`, for as long as it takes: until we are told to stop, or nobody reads
/// `out` any more. A connection that ends is made anew, 0.1 to 1 s apart. Where one was missing, a line of its own says
/// for how long:
///
///     [no serial console for 3.2 s]
///
/// Trouble goes to `log`, once for each. Fails only if `out` cannot be written.
[[nodiscard]] Result<void> copy_console(const SerialConsole& console, int out, Interrupt& interrupt, const Clock& clock,
                                        const ConnectorLog& log);

}  // namespace trebuchet
