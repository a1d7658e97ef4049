#pragma once

#include "common/base/clock.hpp"

#include <string>
#include <string_view>

namespace trebuchet {

/// Writes log lines in the reference's format: `2026-11-20 20:31:00,123 AGENT INFO: DEVICE CONNECTOR: message`, in
/// local time. Thread-safe: each line is one write. Write errors are ignored.
class ConnectorLog {
  public:
    /// `clock` must outlive the log; `fd` is not closed.
    ConnectorLog(const Clock& clock, std::string agent_name, int fd);

    void info(std::string_view message) const { write("INFO", message); }
    void warning(std::string_view message) const { write("WARNING", message); }
    void error(std::string_view message) const { write("ERROR", message); }

  private:
    void write(std::string_view level, std::string_view message) const;

    const Clock* clock_;
    std::string agent_name_;
    int fd_;
};

}  // namespace trebuchet
