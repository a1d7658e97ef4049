#pragma once

#include "common/file/safe_file.hpp"

#include <chrono>

namespace trebuchet {

/// Waits for a stop signal.
class Interrupt {
  public:
    virtual ~Interrupt() = default;
    /// Waits for `time` or for a stop signal. Returns the signal, or 0 if there was none. After the first signal it
    /// returns that signal at once.
    [[nodiscard]] virtual int wait_for(std::chrono::milliseconds time) = 0;
};

/// The stop signals are SIGTERM, SIGINT and SIGHUP. Call block_signals() before any thread starts. Not thread-safe.
class SignalInterrupt final : public Interrupt {
  public:
    /// Call this first in main.
    static void block_signals();

    SignalInterrupt();
    [[nodiscard]] int wait_for(std::chrono::milliseconds time) override;

    /// Readable from the arrival of a signal until wait_for returns it.
    [[nodiscard]] int fd() const { return signals_.get(); }

  private:
    FileDescriptor signals_;
    int signal_ = 0;
};

}  // namespace trebuchet
