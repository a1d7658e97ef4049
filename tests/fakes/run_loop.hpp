#pragma once

#include "common/event/event_loop.hpp"

namespace trebuchet {

/// Runs the handlers that are due now, and those that they post.
inline void run_what_is_due(EventLoop& loop) {
    bool over = false;
    loop.post([&] { loop.post([&over] { over = true; }); });
    loop.run_until([&over] { return over; });
}

}  // namespace trebuchet
