#include "tests/integration/harness/wait.hpp"

#include <poll.h>

namespace trebuchet::harness {
namespace {

constexpr int pause_milliseconds = 5;

}  // namespace

bool eventually(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
        if (std::chrono::steady_clock::now() >= end) return false;
        ::poll(nullptr, 0, pause_milliseconds);
    }
    return true;
}

}  // namespace trebuchet::harness
