#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace trebuchet {

/// The source of time; tests use a fake.
class Clock {
  public:
    virtual ~Clock() = default;
    /// Monotonic: for durations and deadlines.
    [[nodiscard]] virtual std::chrono::steady_clock::time_point now() const = 0;
    /// The time of day: for timestamps.
    [[nodiscard]] virtual std::chrono::system_clock::time_point wall_time() const = 0;
};

class SystemClock final : public Clock {
  public:
    [[nodiscard]] std::chrono::steady_clock::time_point now() const override {
        return std::chrono::steady_clock::now();
    }
    [[nodiscard]] std::chrono::system_clock::time_point wall_time() const override {
        return std::chrono::system_clock::now();
    }
};

/// ISO 8601 in UTC with microseconds: 2026-11-20T20:31:00.000000+00:00.
[[nodiscard]] std::string iso8601(std::chrono::system_clock::time_point time);

/// Parses "2026-11-20T20:31:00.123456+00:00", also with "Z" or without a zone (UTC). Drops fractions of a second.
/// nullopt for invalid text.
[[nodiscard]] std::optional<std::chrono::system_clock::time_point> parse_iso8601(const std::string& text);

/// Parses an HTTP Date header, "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110, IMF-fixdate). nullopt for invalid text.
[[nodiscard]] std::optional<std::chrono::system_clock::time_point> parse_http_date(const std::string& text);

}  // namespace trebuchet
