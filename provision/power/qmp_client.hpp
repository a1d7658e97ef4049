#pragma once

#include "common/base/result.hpp"
#include "common/file/safe_file.hpp"

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace trebuchet {

/// One message of QMP, QEMU's control protocol (one JSON object per line).
struct QmpMessage {
    enum class Kind { greeting, result, error, event };
    Kind kind = Kind::event;
    nlohmann::json result;  ///< of `result`
    std::string text;       ///< of `error`: QEMU's message; of `event`: its name
};

[[nodiscard]] Result<QmpMessage> parse_qmp_message(std::string_view line);

/// A connection to QEMU's QMP socket. QEMU serves one client at a time; a second one waits until its timeout. Not
/// thread-safe.
class QmpClient {
  public:
    using Timeout = std::chrono::milliseconds;
    static constexpr Timeout default_timeout{10'000};

    /// Connects and reads the greeting.
    [[nodiscard]] static Result<QmpClient> connect(const std::filesystem::path& socket,
                                                   Timeout timeout = default_timeout);

    /// Runs one command and returns its result; drops events. A final Error: QEMU refused the command, and the
    /// connection is still good. Any other Error: the connection is lost.
    [[nodiscard]] Result<nlohmann::json> execute(const std::string& command, const nlohmann::json& arguments = {},
                                                 Timeout timeout = default_timeout);
    /// Tells QEMU to exit, and waits until it has closed the connection.
    [[nodiscard]] Result<void> quit(Timeout timeout = default_timeout);
    /// Runs a command of the human monitor and returns its output. Most commands print nothing on success.
    [[nodiscard]] Result<std::string> monitor(const std::string& command_line, Timeout timeout = default_timeout);

  private:
    QmpClient(FileDescriptor socket, std::string name) : socket_(std::move(socket)), name_(std::move(name)) {}
    [[nodiscard]] Result<QmpMessage> read(std::chrono::steady_clock::time_point deadline);
    [[nodiscard]] tl::unexpected<Error> lost(const std::string& why) const;

    FileDescriptor socket_;
    std::string name_;
    std::string received_;
};

}  // namespace trebuchet
