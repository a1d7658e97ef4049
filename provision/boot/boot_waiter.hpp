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

/// A sign that a device is up. `check` looks once, takes a few seconds at most, and fails with what it saw instead.
struct BootProbe {
    std::string what;  ///< completes "Waiting for …": "ssh at 10.0.0.7 port 22"
    std::function<Result<void>()> check;
};

struct BootWait {
    std::chrono::milliseconds timeout = std::chrono::minutes(5);
    std::chrono::milliseconds interval = std::chrono::seconds(5);
    std::chrono::milliseconds initial_delay{
        0};  ///< before the first check: while it shuts down, a device still answers
    std::chrono::milliseconds report_every = std::chrono::seconds(30);
};

struct BootTimedOut {
    std::string message;  ///< what we waited for, how long, and what the last check saw
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

/// Waits until each probe, in order, has succeeded, and logs the progress. Returns how long that took.
///
/// 1. Wait `initial_delay`.
/// 2. Check the current probe. If it succeeds, go to the next probe; after the last one the device is up.
/// 3. Give up if the timeout has passed. As this comes after the check, every probe is checked at least once.
/// 4. Log the last failure if `report_every` has passed, wait `interval`, and go to 2.
///
/// The waits end at the timeout, and at once on a stop signal. Example with timeout 12 s and interval 5 s: checks at 0,
/// 5, 10 and 12 s, then BootTimedOut "waited 12 s for ssh; last result: connection refused".
[[nodiscard]] tl::expected<std::chrono::milliseconds, BootFailure> wait_for_boot(const std::vector<BootProbe>& probes,
                                                                                 const BootWait& wait,
                                                                                 const BootTools& tools);

}  // namespace trebuchet
