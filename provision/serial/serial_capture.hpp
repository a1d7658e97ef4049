#pragma once

#include "provision/log/connector_log.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

namespace trebuchet {

/// A serial console offered as raw TCP, as ser2net's `raw` mode does.
struct SerialConsole {
    std::string host;
    std::uint16_t port = 0;
};

/// Appends what a serial console prints to a file, in a thread of its own, from construction to destruction.
///
///     connecting ──connected──▶ reading ──closed or failed──▶ waiting ──reconnect_after──▶ connecting
///     any of them ──destructor──▶ gone, at once; what had arrived by then is still written
///
/// Trouble is logged and never fatal.
class SerialCapture {
  public:
    /// `log` must outlive the capture.
    SerialCapture(SerialConsole console, std::filesystem::path file, const ConnectorLog& log,
                  std::chrono::milliseconds reconnect_after = std::chrono::seconds(30));
    ~SerialCapture();
    SerialCapture(const SerialCapture&) = delete;
    SerialCapture& operator=(const SerialCapture&) = delete;

  private:
    class Worker;
    std::shared_ptr<Worker> worker_;
    std::thread thread_;
};

}  // namespace trebuchet
