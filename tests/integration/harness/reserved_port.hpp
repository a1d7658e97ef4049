#pragma once

#include "common/file/safe_file.hpp"

#include <cstdint>

namespace trebuchet::harness {

/// A port of 127.0.0.1 on which nobody listens, and which nobody gets by chance: connecting is refused, until a server
/// that sets SO_REUSEADDR asks for it.
class ReservedPort {
  public:
    ReservedPort();
    [[nodiscard]] std::uint16_t number() const { return number_; }

  private:
    FileDescriptor socket_;
    std::uint16_t number_ = 0;
};

}  // namespace trebuchet::harness
