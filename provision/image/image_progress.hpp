#pragma once

#include "common/base/clock.hpp"
#include "provision/log/connector_log.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace trebuchet {

/// Reports progress: a log line every `interval`, or a bar on a terminal.
class ImageProgress {
  public:
    /// `source_size`: bytes of the source, if known. `terminal`: descriptor for the bar; -1: log lines. `log` and
    /// `clock` must outlive it.
    ImageProgress(std::optional<std::uint64_t> source_size, const ConnectorLog& log, const Clock& clock, int terminal,
                  std::chrono::milliseconds interval = std::chrono::seconds(5));

    /// Call this often; it limits its own output. `read`: bytes of the source; `written`: bytes of the image.
    void update(std::uint64_t read, std::uint64_t written);
    /// Removes the bar and logs the total.
    void finish(std::uint64_t written);
    /// Removes the bar.
    void clear();

  private:
    [[nodiscard]] std::string text(std::uint64_t read, std::uint64_t written) const;
    [[nodiscard]] double seconds() const;

    std::optional<std::uint64_t> source_size_;
    const ConnectorLog* log_;
    const Clock* clock_;
    int terminal_;
    std::chrono::milliseconds interval_;
    std::chrono::steady_clock::time_point start_;
    std::chrono::steady_clock::time_point next_;
    bool has_bar_ = false;
};

/// "512.0 MiB"
[[nodiscard]] std::string format_size(double bytes);

}  // namespace trebuchet
