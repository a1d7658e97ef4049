#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace trebuchet::labserver {

using Time = std::chrono::system_clock::time_point;

/// Parses ISO 8601: a date, "T" or a space, at least hours and minutes. Without a zone it is UTC.
[[nodiscard]] std::optional<Time> parse_iso_time(std::string_view text);

/// 2026-11-20T20:31:00Z.
[[nodiscard]] std::string zulu(Time time);

/// 2026-11-20T20:31:00+00:00Z: the malformed form that the real server sends for `started_at`.
[[nodiscard]] std::string doubly_zoned(Time time);

}  // namespace trebuchet::labserver
