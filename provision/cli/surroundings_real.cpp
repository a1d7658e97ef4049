#include "provision/cli/surroundings.hpp"
#include "provision/process/posix_command_runner.hpp"

namespace trebuchet {
namespace {

class RealSurroundings final : public Surroundings {
  public:
    [[nodiscard]] const Clock& clock() const override { return clock_; }
    [[nodiscard]] Interrupt& interrupt() override { return interrupt_; }
    [[nodiscard]] CommandRunner& commands() override { return commands_; }

  private:
    SystemClock clock_;
    SignalInterrupt interrupt_;
    PosixCommandRunner commands_{interrupt_};
};

}  // namespace

std::unique_ptr<Surroundings> make_surroundings() {
    return std::make_unique<RealSurroundings>();
}

}  // namespace trebuchet
