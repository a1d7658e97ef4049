#pragma once

#include "common/file/safe_file.hpp"

#include <cstdint>

namespace trebuchet::harness {

/// Reserves a port of 127.0.0.1. Nobody else gets it by chance, and connecting is refused until a server that sets
/// SO_REUSEADDR listens on it.
class ReservedPort {
  public:
    ReservedPort();
    [[nodiscard]] std::uint16_t number() const { return number_; }

  private:
    FileDescriptor socket_;
    std::uint16_t number_ = 0;
};

}  // namespace trebuchet::harness
