#pragma once

#include "common/base/clock.hpp"
#include "provision/log/connector_log.hpp"
#include "provision/process/interrupt.hpp"
#include "provision/serial/serial_console.hpp"
#include "provision/serial/serial_text.hpp"

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

namespace trebuchet {

struct SerialOptions {
    std::chrono::milliseconds reconnect_after = std::chrono::seconds(30);
    const Clock* time_stamps = nullptr;  ///< if set, each line starts with a timestamp
};

/// Appends a serial console's output to a file, on its own thread, from construction to destruction.
///
///     connecting ──connected──▶ reading ──closed or failed──▶ waiting ──reconnect_after──▶ connecting
///     any state ──destructor──▶ stopped at once, after writing what has already arrived
///
/// Failures are logged and never fatal.
class SerialCapture {
  public:
    /// `log` and the options' clock must outlive the capture.
    SerialCapture(SerialConsole console, std::filesystem::path file, const ConnectorLog& log,
                  SerialOptions options = {});
    ~SerialCapture();
    SerialCapture(const SerialCapture&) = delete;
    SerialCapture& operator=(const SerialCapture&) = delete;

    /// Reconnects without waiting for reconnect_after: for a console that has just been created. Waits for the
    /// connection; false after `timeout`.
    bool connect_now(std::chrono::milliseconds timeout);

    /// Writes to the console. Waits for a connection, and for a device that takes its time, at most `timeout`. Fails at
    /// once on a stop signal. The Error does not quote `bytes`, which may be a password.
    [[nodiscard]] Result<void> send(std::string_view bytes, std::chrono::milliseconds timeout, Interrupt& interrupt);

    /// Forgets output that no expect() has taken yet.
    void clear();

    /// Waits for output that matches `pattern`. Returns all output from the end of the last match to the end of this
    /// one. Between two calls the last MiB of output is kept. Fails after `timeout` and on a stop signal.
    [[nodiscard]] Result<std::string> expect(const SerialPattern& pattern, std::chrono::milliseconds timeout,
                                             Interrupt& interrupt);

  private:
    class Worker;
    std::shared_ptr<Worker> worker_;
    std::thread thread_;
};

}  // namespace trebuchet
