#pragma once

#include "common/file/safe_file.hpp"

#include <chrono>

namespace trebuchet {

/// Whether we were told to stop, as something to wait for.
class Interrupt {
  public:
    virtual ~Interrupt() = default;
    /// Waits for `time` or until told to stop, whichever comes first. The signal that told us, else 0. Once told, it
    /// never waits again.
    [[nodiscard]] virtual int wait_for(std::chrono::milliseconds time) = 0;
};

/// SIGTERM, SIGINT and SIGHUP. They must have been blocked, before any thread was started. Lives on one thread.
class SignalInterrupt final : public Interrupt {
  public:
    /// For the first line of main.
    static void block_signals();

    SignalInterrupt();
    [[nodiscard]] int wait_for(std::chrono::milliseconds time) override;

    /// Readable as long as wait_for has not taken note of a signal.
    [[nodiscard]] int fd() const { return signals_.get(); }

  private:
    FileDescriptor signals_;
    int signal_ = 0;
};

}  // namespace trebuchet
