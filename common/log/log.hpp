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

/// Parses DEBUG, INFO, WARNING, ERROR or CRITICAL.
[[nodiscard]] std::optional<LogLevel> log_level(std::string_view name);

struct LogOptions {
    LogLevel level = LogLevel::info;
    bool quiet = false;  ///< no output to the console
    /// Folder of `testflinger-agent.log`, the reference agent's file name; "": no file. Created (0700) if missing.
    std::filesystem::path folder;
    int console = 2;  ///< descriptor of the console, not owned
};

/// Sets up the process's log. Before the first call, messages go to stderr. Another call replaces the settings; if it
/// fails, the old ones stay. Line format: "[2026-11-20 20:31:00] INFO    : text", in local time; for the systemd
/// journal: "<6>text". `clock` must outlive the log.
[[nodiscard]] Result<void> set_up_log(const LogOptions& options);
[[nodiscard]] Result<void> set_up_log(const LogOptions& options, const Clock& clock);

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
