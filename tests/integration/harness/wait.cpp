#include "tests/integration/harness/wait.hpp"

#include <poll.h>

namespace trebuchet::harness {

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit,
                std::chrono::milliseconds pause) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
        if (std::chrono::steady_clock::now() >= end) return false;
        ::poll(nullptr, 0, static_cast<int>(pause.count()));
    }
    return true;
}

}  // namespace trebuchet::harness
