#pragma once

#include "common/event/event_loop.hpp"

namespace trebuchet {

/// Runs what is due by now, and what that posts.
inline void run_what_is_due(EventLoop& loop) {
    bool over = false;
    loop.post([&] { loop.post([&over] { over = true; }); });
    loop.run_until([&over] { return over; });
}

}  // namespace trebuchet
