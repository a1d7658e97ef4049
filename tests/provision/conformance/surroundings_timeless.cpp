#include "provision/cli/surroundings.hpp"
#include "provision/process/posix_command_runner.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/provision/conformance/socket.hpp"

namespace trebuchet {
namespace {

/// Ends every wait at once and reports it to the runner.
class TimelessInterrupt final : public Interrupt {
  public:
    TimelessInterrupt(SignalInterrupt& real, FakeClock& clock) : real_(&real), clock_(&clock) {}

    [[nodiscard]] int wait_for(std::chrono::milliseconds time) override {
        const int signal = real_->wait_for(std::chrono::milliseconds::zero());
        if (signal != 0 || time <= std::chrono::milliseconds::zero()) return signal;
        (void)conformance::report({{"sleep", static_cast<double>(time.count()) / 1000.0}});
        clock_->advance(time);
        return real_->wait_for(std::chrono::milliseconds::zero());
    }

  private:
    SignalInterrupt* real_;
    FakeClock* clock_;
};

/// Runs real processes. One that should hang times out at once.
class TimelessRunner final : public CommandRunner {
  public:
    TimelessRunner(CommandRunner& real, FakeClock& clock) : real_(&real), clock_(&clock) {}

    [[nodiscard]] CommandResult run(const Command& command) override {
        auto result = real_->run(command);
        const auto* killed = std::get_if<CommandKilled>(&result.end);
        if (killed == nullptr || killed->signal != conformance::hanging_signal) return result;
        if (!command.timeout) {
            (void)conformance::report({{"without_limit", command.argv}});
            return result;
        }
        clock_->advance(*command.timeout);
        result.end = CommandTimedOut{};
        return result;
    }
    [[nodiscard]] tl::expected<std::unique_ptr<RunningCommand>, CommandEnd> start(const Command& command,
                                                                                  Piped piped) override {
        return real_->start(command, piped);
    }

  private:
    CommandRunner* real_;
    FakeClock* clock_;
};

class TimelessSurroundings final : public Surroundings {
  public:
    [[nodiscard]] const Clock& clock() const override { return clock_; }
    [[nodiscard]] Interrupt& interrupt() override { return interrupt_; }
    [[nodiscard]] CommandRunner& commands() override { return commands_; }

  private:
    FakeClock clock_;
    SignalInterrupt signals_;
    PosixCommandRunner processes_{signals_};
    TimelessInterrupt interrupt_{signals_, clock_};
    TimelessRunner commands_{processes_, clock_};
};

}  // namespace

std::unique_ptr<Surroundings> make_surroundings() {
    return std::make_unique<TimelessSurroundings>();
}

}  // namespace trebuchet
