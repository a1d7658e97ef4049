#pragma once

#include "common/base/clock.hpp"
#include "provision/process/command.hpp"
#include "provision/process/interrupt.hpp"

#include <memory>

namespace trebuchet {

/// What a stage can do to the world and what the world can do to it. Which one a program has is decided when it is
/// linked: the real one, or a test's, whose time passes at once.
class Surroundings {
  public:
    virtual ~Surroundings() = default;
    [[nodiscard]] virtual const Clock& clock() const = 0;
    [[nodiscard]] virtual Interrupt& interrupt() = 0;
    [[nodiscard]] virtual CommandRunner& commands() = 0;
};

/// SignalInterrupt::block_signals must have been called.
[[nodiscard]] std::unique_ptr<Surroundings> make_surroundings();

}  // namespace trebuchet
