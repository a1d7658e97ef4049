#pragma once

#include "common/file/safe_file.hpp"

#include <filesystem>
#include <string>

namespace trebuchet::harness {

/// Holds a phase's script until the test opens it.
class Gate {
  public:
    /// Makes a FIFO at `path`. Throws on failure.
    explicit Gate(std::filesystem::path path);

    /// The shell command that waits. Each `open` lets one wait pass.
    [[nodiscard]] std::string wait_command() const;
    /// May be called before anybody waits.
    void open();

  private:
    std::filesystem::path path_;
    FileDescriptor fifo_;
};

}  // namespace trebuchet::harness
