#include "provision/boot/serial_probe.hpp"

#include "common/base/text.hpp"

#include <utility>

namespace trebuchet {
namespace {

constexpr std::chrono::seconds check_duration{1};

}  // namespace

BootProbe serial_probe(SerialCapture& console, SerialPattern pattern, Interrupt& interrupt) {
    auto what = trebuchet::quoted(pattern.text()) + " on the serial console";
    return {std::move(what), [&console, &interrupt, pattern = std::move(pattern)]() -> Result<void> {
                const auto found = console.expect(pattern, check_duration, interrupt);
                if (!found) return fail(found.error());
                return {};
            }};
}

}  // namespace trebuchet
