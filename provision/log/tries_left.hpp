#pragma once

#include <string>

namespace trebuchet {

/// For messages about retries: "1 try left", "3 tries left".
[[nodiscard]] inline std::string tries_left(int count) {
    return std::to_string(count) + (count == 1 ? " try left" : " tries left");
}

}  // namespace trebuchet
