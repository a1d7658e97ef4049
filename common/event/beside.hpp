#pragma once

#include "common/event/event_loop.hpp"

#include <functional>

namespace trebuchet {

/// Runs blocking `work` on a new thread while the loop keeps running. Returns when `work` is done and rethrows its
/// exception. Call this, like run_until, only from the main flow. If no thread can be started for 5 s, `work` runs on
/// this one.
void run_beside(EventLoop& loop, const std::function<void()>& work);

}  // namespace trebuchet
