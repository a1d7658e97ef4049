#pragma once

#include "agent/metrics/status_board.hpp"
#include "common/base/result.hpp"
#include "common/event/event_loop.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <string_view>

namespace trebuchet {

/// As write_file, but with the mode that lets the folder's group read the file.
[[nodiscard]] Result<void> write_for_group(const std::filesystem::path& file, std::string_view text);

/// Keeps the agent's status file as the board has it, for `trebuchet-agent status`. It is replaced atomically, when
/// something changes; a new last output or error is written every 5 s at most. Every 15 s its modification time is set
/// as a sign of life: an agent that hangs gives none.
class StatusFile {
  public:
    static constexpr std::chrono::milliseconds output_pause{5000};

    /// `undelivered`: asked at each sign of life for the bytes that wait for the server. The board must outlive this
    /// object. Logs once if the file cannot be written; if nobody made the folder, only with `is_wanted`.
    StatusFile(EventLoop& loop, StatusBoard& board, const std::filesystem::path& folder, bool is_wanted,
               std::function<std::uint64_t()> undelivered);
    ~StatusFile();
    StatusFile(const StatusFile&) = delete;
    StatusFile& operator=(const StatusFile&) = delete;

  private:
    void take(StatusBoard::Change change);
    void write();
    void live();

    StatusBoard& board_;
    std::filesystem::path file_;
    std::function<std::uint64_t()> undelivered_;
    bool is_waiting_ = false;
    bool has_failed_ = false;
    Timer wait_;
    Timer life_;
};

}  // namespace trebuchet
