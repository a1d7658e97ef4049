#pragma once

#include "common/file/safe_file.hpp"

#include <filesystem>
#include <string>

namespace trebuchet::harness {

/// Where a phase's script waits until the test lets it go on.
class Gate {
  public:
    /// `path`: where to put it. Throws if it can't be made.
    explicit Gate(std::filesystem::path path);

    /// The shell command that waits; it may be passed once per `open`.
    [[nodiscard]] std::string wait_command() const;
    /// Also before somebody waits.
    void open();

  private:
    std::filesystem::path path_;
    FileDescriptor fifo_;
};

}  // namespace trebuchet::harness
