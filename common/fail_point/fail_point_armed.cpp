#include "common/fail_point/fail_point.hpp"

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <unistd.h>

namespace trebuchet {
namespace {

struct Orders {
    std::string name;
    std::atomic<unsigned long> passes_left{1};
    int trace = -1;

    Orders() {
        if (const char* file = std::getenv("TREBUCHET_FAIL_POINT_TRACE"); file != nullptr) {
            trace = ::open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        }
        const char* order = std::getenv("TREBUCHET_FAIL_POINT");
        if (order == nullptr) return;
        name = order;
        const auto colon = name.rfind(':');
        if (colon == std::string::npos) return;
        passes_left = std::strtoul(name.c_str() + colon + 1, nullptr, 10);
        name.resize(colon);
    }
};

}  // namespace

void fail_point(const char* name) noexcept {
    static Orders orders;
    if (orders.trace >= 0) {
        const std::string line = std::string(name) + "\n";
        static_cast<void>(!::write(orders.trace, line.data(), line.size()));
    }
    if (orders.name == name && --orders.passes_left == 0) ::kill(::getpid(), SIGKILL);
}

}  // namespace trebuchet
