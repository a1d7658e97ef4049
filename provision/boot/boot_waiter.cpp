#include "provision/boot/boot_waiter.hpp"

#include <algorithm>

namespace trebuchet {
namespace {

using std::chrono::milliseconds;

std::string seconds_of(milliseconds time) {
    return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) + " s";
}

}  // namespace

tl::expected<milliseconds, BootFailure> wait_for_boot(const std::vector<BootProbe>& probes, const BootWait& wait,
                                                      const BootTools& tools) {
    const auto start = tools.clock.now();
    const auto deadline = start + wait.timeout;
    auto next_report = start + wait.report_every;
    const auto elapsed = [&] { return std::chrono::duration_cast<milliseconds>(tools.clock.now() - start); };
    const auto sleep = [&](milliseconds time) {
        const auto left = std::chrono::duration_cast<milliseconds>(deadline - tools.clock.now());
        return tools.interrupt.wait_for(std::clamp(left, milliseconds::zero(), time));
    };

    if (const int signal = sleep(wait.initial_delay); signal != 0)
        return tl::unexpected<BootFailure>(BootInterrupted{signal});
    for (const auto& probe : probes) {
        tools.log.info("Waiting for " + probe.what);
        while (true) {
            const auto seen = probe.check();
            if (seen) break;
            if (tools.clock.now() >= deadline) {
                return tl::unexpected<BootFailure>(BootTimedOut{"waited " + seconds_of(elapsed()) + " for " +
                                                                probe.what +
                                                                "; last result: " + seen.error().message()});
            }
            if (tools.clock.now() >= next_report) {
                tools.log.info("Still waiting for " + probe.what + " after " + seconds_of(elapsed()) + ": " +
                               seen.error().message());
                next_report = tools.clock.now() + wait.report_every;
            }
            if (const int signal = sleep(wait.interval); signal != 0) {
                return tl::unexpected<BootFailure>(BootInterrupted{signal});
            }
        }
    }
    tools.log.info("The device is up after " + seconds_of(elapsed()));
    return elapsed();
}

}  // namespace trebuchet
