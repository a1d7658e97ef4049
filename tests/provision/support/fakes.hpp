#pragma once

#include "provision/process/command.hpp"
#include "provision/process/interrupt.hpp"

#include <chrono>
#include <deque>
#include <string>
#include <vector>

namespace trebuchet {

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
