#pragma once

#include "provision/process/command.hpp"
#include "provision/process/interrupt.hpp"
#include "tests/fakes/fake_clock.hpp"

#include <chrono>
#include <deque>
#include <functional>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

namespace trebuchet {

/// Waits take no time and are recorded, except short polling waits.
class FakeInterrupt final : public Interrupt {
  public:
    [[nodiscard]] int wait_for(std::chrono::milliseconds time) override {
        constexpr std::chrono::milliseconds shortest{100};
        if (time >= shortest) {
            waits.push_back(time);
            if (clock != nullptr) clock->advance(time);
            if (on_wait) on_wait();
        } else if (time.count() > 0) {
            ++looks;
            std::this_thread::yield();
        }
        return waits.size() > waits_before_signal || looks > looks_before_signal ? signal : 0;
    }

    std::vector<std::chrono::milliseconds> waits;
    int signal = 0;
    std::size_t waits_before_signal = 0;
    FakeClock* clock = nullptr;     ///< advanced by each wait
    std::function<void()> on_wait;  ///< called during each wait
    std::size_t looks = 0;
    std::size_t looks_before_signal = std::numeric_limits<std::size_t>::max();
};

/// Ends every command at once. The result is `answer`'s, else the next of `results`, else success.
class FakeCommandRunner final : public CommandRunner {
  public:
    [[nodiscard]] CommandResult run(const Command& command) override {
        note(command);
        auto result = result_of(command);
        if (command.output_fd >= 0 && command.capture_output && write_all(command.output_fd, result.output)) {
            result.output.clear();
        }
        return result;
    }

    /// The pipe is a file in memory: it contains `piped_output` for a reader, and `fed` shares it with a writer.
    [[nodiscard]] tl::expected<std::unique_ptr<RunningCommand>, CommandEnd> start(const Command& command,
                                                                                  Piped piped) override {
        note(command);
        FileDescriptor file(::memfd_create("fake", MFD_CLOEXEC));
        if (piped == Piped::output && (!write_all(file.get(), piped_output) || ::lseek(file.get(), 0, SEEK_SET) != 0)) {
            throw std::runtime_error("cannot write a file in memory");
        }
        if (piped == Piped::input) fed = FileDescriptor(::dup(file.get()));
        return std::make_unique<Running>(std::move(file), result_of(command));
    }

    std::vector<std::vector<std::string>> commands;
    std::vector<std::string> inputs;  ///< stdin of each command
    std::deque<CommandResult> results;
    std::function<std::optional<CommandResult>(const Command&)> answer;
    std::string piped_output;
    FileDescriptor fed;

  private:
    class Running final : public RunningCommand {
      public:
        Running(FileDescriptor pipe, CommandResult result) : pipe_(std::move(pipe)), result_(std::move(result)) {}
        [[nodiscard]] FileDescriptor take_pipe() override { return std::move(pipe_); }
        [[nodiscard]] bool wait_for(std::chrono::milliseconds /*time*/) override { return true; }
        [[nodiscard]] CommandResult stop() override { return result_; }

      private:
        FileDescriptor pipe_;
        CommandResult result_;
    };

    void note(const Command& command) {
        commands.push_back(command.argv);
        inputs.emplace_back(command.input.value_or(""));
    }
    CommandResult result_of(const Command& command) {
        if (answer) {
            if (auto result = answer(command)) return *result;
        }
        if (results.empty()) return {CommandExited{0}, {}};
        auto result = results.front();
        results.pop_front();
        return result;
    }
};

}  // namespace trebuchet
