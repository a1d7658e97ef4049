#pragma once

#include "common/base/clock.hpp"
#include "provision/process/command.hpp"
#include "provision/process/interrupt.hpp"

#include <chrono>
#include <deque>
#include <string>
#include <vector>

namespace trebuchet {

class FakeClock final : public Clock {
  public:
    [[nodiscard]] std::chrono::steady_clock::time_point now() const override { return {}; }
    /// 2026-11-20 20:31:00.125 UTC
    [[nodiscard]] std::chrono::system_clock::time_point wall_time() const override {
        return std::chrono::system_clock::time_point(std::chrono::milliseconds(1'795'206'660'125));
    }
};

/// Waiting takes no time, and is written down.
class FakeInterrupt final : public Interrupt {
  public:
    [[nodiscard]] int wait_for(std::chrono::milliseconds time) override {
        if (time.count() > 0) waits.push_back(time);
        return waits.size() > waits_before_signal ? signal : 0;
    }

    std::vector<std::chrono::milliseconds> waits;
    int signal = 0;
    std::size_t waits_before_signal = 0;
};

/// Ends every command at once, with the results prepared for it and, when they are used up, with success.
class FakeCommandRunner final : public CommandRunner {
  public:
    [[nodiscard]] CommandResult run(const Command& command) override {
        commands.push_back(command.argv);
        if (results.empty()) return {CommandExited{0}, {}};
        auto result = results.front();
        results.pop_front();
        return result;
    }

    std::vector<std::vector<std::string>> commands;
    std::deque<CommandResult> results;
};

}  // namespace trebuchet
