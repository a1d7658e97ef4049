#pragma once

#include "provision/power/power_control.hpp"

#include <filesystem>

namespace trebuchet {

/// Power of a virtual device in a QEMU that keeps running: off() halts its processors, on() resets and resumes them.
/// Each call opens its own connection, because QEMU serves one client at a time.
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
