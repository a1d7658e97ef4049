#pragma once

#include "common/base/clock.hpp"
#include "common/base/result.hpp"
#include "common/mask/mask_set.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace trebuchet {

enum class LogLevel { debug, info, warning, error, critical };

/// Parses DEBUG, INFO, WARNING, ERROR or CRITICAL.
[[nodiscard]] std::optional<LogLevel> log_level(std::string_view name);

/// The format of lines in the log file and on the console. The systemd journal has a format of its own.
enum class LogFormat {
    text,  ///< "[2026-11-20 20:31:00] INFO    : text", in local time
    json,  ///< {"time": "2026-11-20T20:31:00.123456+00:00", "level": "INFO", "message": "text"} and the fields
};

struct LogOptions {
    LogLevel level = LogLevel::info;
    LogFormat format = LogFormat::text;
    bool quiet = false;  ///< no output to the console
    /// Folder of `testflinger-agent.log`, the reference agent's file name; "": no file. Created (0700) if missing.
    std::filesystem::path folder;
    int console = 2;  ///< descriptor of the console, not owned
    std::filesystem::path journal = "/run/systemd/journal/socket";
};

/// Sets up the process's log. Before the first call, messages go to stderr. Another call replaces the settings; if it
/// fails, the old ones stay. If the console is the systemd journal ($JOURNAL_STREAM), messages go to its socket, with
/// the fields, or as "<6>text" to the console if that fails. `clock` must outlive the log.
[[nodiscard]] Result<void> set_up_log(const LogOptions& options);
[[nodiscard]] Result<void> set_up_log(const LogOptions& options, const Clock& clock);

/// Adds a field to each further message, for the journal and JSON; "" removes it. `name`: capitals and '_', such as
/// JOB_ID. The value is not masked, and must be one line.
void set_log_field(const std::string& name, std::string value);

/// Calls `observer` with each further message of at least `level`, masked, on the thread that logs it; null: none.
void observe_log(LogLevel level, std::function<void(const MaskedChunk&)> observer);

/// Masks every further message with `masks`; null: no masking.
void set_log_masks(std::shared_ptr<const MaskSet> masks);

/// Masks a text as log_message does. Use this before truncating a text, so that a secret is not cut and then missed.
[[nodiscard]] MaskedChunk mask_for_log(std::string_view text);

/// Writes one line: masks the text, escapes control characters, cuts after 16 KiB. Thread-safe. Never fails: lines that
/// cannot be written are lost, and the console reports that once.
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
