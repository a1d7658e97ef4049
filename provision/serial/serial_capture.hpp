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
#include <thread>

namespace trebuchet {

struct SerialOptions {
    std::chrono::milliseconds reconnect_after = std::chrono::seconds(30);
    const Clock* time_stamps = nullptr;  ///< if set, each line begins with its time
};

/// Appends what a serial console prints to a file, in a thread of its own, from construction to destruction.
///
///     connecting ──connected──▶ reading ──closed or failed──▶ waiting ──reconnect_after──▶ connecting
///     any of them ──destructor──▶ gone, at once; what had arrived by then is still written
///
/// Trouble is logged and never fatal.
class SerialCapture {
  public:
    /// `log` and the options' clock must outlive the capture.
    SerialCapture(SerialConsole console, std::filesystem::path file, const ConnectorLog& log,
                  SerialOptions options = {});
    ~SerialCapture();
    SerialCapture(const SerialCapture&) = delete;
    SerialCapture& operator=(const SerialCapture&) = delete;

    /// For a console that has come to be just now: tries again at once, and waits until it is connected, `timeout` at
    /// most. Whether it is.
    bool connect_now(std::chrono::milliseconds timeout);

    /// Waits until the console prints what matches, after what the last call matched, and returns all that it printed
    /// until there. What it prints between two calls is not lost, but for what is older than 64 KiB.
    /// Fails after `timeout`, and when told to stop.
    [[nodiscard]] Result<std::string> expect(const SerialPattern& pattern, std::chrono::milliseconds timeout,
                                             Interrupt& interrupt);

  private:
    class Worker;
    std::shared_ptr<Worker> worker_;
    std::thread thread_;
};

}  // namespace trebuchet
