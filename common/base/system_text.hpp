#pragma once

#include <string>
#include <system_error>

namespace trebuchet {

/// What the system says about an error number, such as `errno`: "No such file or directory".
[[nodiscard]] inline std::string system_text(int error_number) {
    return std::system_category().message(error_number);
}

}  // namespace trebuchet
