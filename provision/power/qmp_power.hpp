#pragma once

#include "provision/power/power_control.hpp"

#include <filesystem>

namespace trebuchet {

/// A virtual device of QEMU that goes on existing without power, as a board does: off halts its processors, on resets
/// it and lets them run. Ending QEMU is not a matter of power. Each call makes a connection of its own, since QEMU
/// serves one client at a time.
class QmpPower final : public PowerControl {
  public:
    explicit QmpPower(std::filesystem::path socket) : socket_(std::move(socket)) {}

    [[nodiscard]] PowerResult<void> on() override;
    [[nodiscard]] PowerResult<void> off() override;
    [[nodiscard]] PowerResult<void> cycle() override;
    [[nodiscard]] PowerResult<PowerState> state() override;

  private:
    std::filesystem::path socket_;
};

}  // namespace trebuchet
