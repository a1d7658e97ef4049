#pragma once

#include "provision/boot/boot_waiter.hpp"
#include "provision/serial/serial_capture.hpp"

namespace trebuchet {

/// Succeeds when the console prints a match, such as a prompt. `console` and `interrupt` must outlive the probe.
[[nodiscard]] BootProbe serial_probe(SerialCapture& console, SerialPattern pattern, Interrupt& interrupt);

}  // namespace trebuchet
