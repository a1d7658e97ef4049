#include "provision/process/last_line.hpp"

#include <algorithm>

namespace trebuchet {

std::string_view last_line(std::string_view output) {
    constexpr std::string_view blanks = " \t\r\n";
    output = output.substr(0, output.find_last_not_of(blanks) + 1);  // npos + 1 is 0
    if (const auto end = output.rfind('\n'); end != std::string_view::npos) output.remove_prefix(end + 1);
    output.remove_prefix(std::min(output.find_first_not_of(blanks), output.size()));
    return output;
}

}  // namespace trebuchet
