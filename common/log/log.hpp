#pragma once

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/mask/mask_set.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>

namespace trebuchet {

enum class LogLevel { debug, info, warning, error, critical };

/// From the name that configuration files use: DEBUG, INFO, WARNING, ERROR or CRITICAL.
[[nodiscard]] std::optional<LogLevel> log_level(std::string_view name);

struct LogOptions {
    LogLevel level = LogLevel::info;
    bool quiet = false;  ///< nothing to the console
    /// Where `testflinger-agent.log` is kept, as with the reference agent; "": no file. Made if missing, then 0700.
    std::filesystem::path folder;
    int console = 2;  ///< the descriptor of the console, not owned
};

/// The process's one log. Until this is called messages go to stderr; calling it again replaces what was set up, and
/// if it fails leaves it. Lines look like "[2026-11-20 20:31:00] INFO    : text", in local time; on a console that is
/// the systemd journal like "<6>text". `clock` is not owned and must live as long as the log is used.
[[nodiscard]] Result<void> set_up_log(const LogOptions& options);
[[nodiscard]] Result<void> set_up_log(const LogOptions& options, const Clock& clock);

/// From now on every message is masked with `masks`; null: with none.
void set_log_masks(std::shared_ptr<const MaskSet> masks);

/// The text as a message would be masked: for what is cut before it is logged, so that it isn't cut in a value.
[[nodiscard]] MaskedChunk mask_for_log(std::string_view text);

/// Writes one line: the text masked, control characters escaped, cut at 16 KiB. Any thread may call it. Nothing fails:
/// what can't be written is lost, and the console says so once.
void log_message(LogLevel level, std::string_view text);

inline void log_debug(std::string_view text) {
    log_message(LogLevel::debug, text);
}
inline void log_info(std::string_view text) {
    log_message(LogLevel::info, text);
}
inline void log_warning(std::string_view text) {
    log_message(LogLevel::warning, text);
}
inline void log_error(std::string_view text) {
    log_message(LogLevel::error, text);
}
inline void log_critical(std::string_view text) {
    log_message(LogLevel::critical, text);
}

}  // namespace trebuchet
