#include "tests/integration/harness/wait.hpp"

#include <exception>

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

bool in_spite_of_faults(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
    return eventually(
        [&] {
            try {
                return condition();
            } catch (const std::exception&) {
                return false;
            }
        },
        limit, std::chrono::milliseconds(20));
}

}  // namespace trebuchet::harness
