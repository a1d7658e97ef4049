#pragma once

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "provision/log/connector_log.hpp"
#include "provision/process/interrupt.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <variant>
#include <vector>

#include <tl/expected.hpp>

namespace trebuchet {

/// A sign that a device is up. Looks once, takes seconds at most, and says what it saw instead.
struct BootProbe {
    std::string what;  ///< what it waits for, to follow "waiting for": "ssh at 10.0.0.7"
    std::function<Result<void>()> look;
};

struct BootWait {
    std::chrono::milliseconds timeout = std::chrono::minutes(5);
    std::chrono::milliseconds interval = std::chrono::seconds(5);
    std::chrono::milliseconds first_wait{0};  ///< before the first look: a device that restarts still answers
    std::chrono::milliseconds report_every = std::chrono::seconds(30);
};

struct BootTimedOut {
    std::string message;  ///< what was waited for, for how long, what was seen last
};
struct BootInterrupted {
    int signal = 0;
};
using BootFailure = std::variant<BootTimedOut, BootInterrupted>;

struct BootTools {
    const ConnectorLog& log;
    Interrupt& interrupt;
    const Clock& clock;
};

/// Waits until the probes, one after the other, have seen what they look for, and logs how that goes. Returns how long
/// it took. Each probe looks at least once.
[[nodiscard]] tl::expected<std::chrono::milliseconds, BootFailure> wait_for_boot(const std::vector<BootProbe>& probes,
                                                                                 const BootWait& wait,
                                                                                 const BootTools& tools);

}  // namespace trebuchet
