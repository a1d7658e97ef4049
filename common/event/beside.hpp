#pragma once

#include "common/event/event_loop.hpp"

#include <functional>

namespace trebuchet {

/// Runs `work`, which may block for long, on a thread of its own, and the loop meanwhile; returns when it is done. What
/// it throws is thrown here. For the main flow only, as run_until is.
void run_beside(EventLoop& loop, const std::function<void()>& work);

}  // namespace trebuchet
