#include "tests/labserver/text/random_id.hpp"

#include <array>
#include <random>

namespace trebuchet::labserver {

std::string random_job_id() {
    static constexpr char digits[] = "0123456789abcdef";
    static std::random_device source;
    std::uniform_int_distribution<std::size_t> any(0, 15);
    std::string id = "xxxxxxxx-xxxx-4xxx-vxxx-xxxxxxxxxxxx";
    for (auto& c : id) {
        if (c == 'x') c = digits[any(source)];
        if (c == 'v') c = digits[8 + any(source) % 4];
    }
    return id;
}

}  // namespace trebuchet::labserver
