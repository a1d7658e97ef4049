#pragma once

#include "agent/job/phase.hpp"
#include "common/mask/masked_chunk.hpp"

#include <functional>

namespace trebuchet {

/// The destination of a job's masked text: the server, or a terminal and files. `output` and `serial` only queue.
class LogSink {
  public:
    virtual ~LogSink() = default;

    virtual void output(Phase phase, const MaskedChunk& text) = 0;
    virtual void serial(Phase phase, const MaskedChunk& text) = 0;
    /// Too much output is queued: the phase should pause until the handler of `on_room` is called (once).
    [[nodiscard]] virtual bool is_full() const { return false; }
    /// Null removes the handler.
    // NOLINTNEXTLINE(performance-unnecessary-value-param): sinks keep the handler
    virtual void on_room(std::function<void()> /*handler*/) {}
    [[nodiscard]] virtual bool is_serial_full() const { return false; }
    /// If too much serial log is queued, waits for room; at most log_upload_limit in total for one phase.
    virtual void wait_for_serial_room() {}
};

}  // namespace trebuchet
