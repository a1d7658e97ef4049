#pragma once

#include <cstdint>
#include <fstream>
#include <sstream>
#include <string>

namespace trebuchet {

/// The VmFlags of the mapping that holds `memory`, as in " rd wr mr mw me lo ac dd "; "" if there is no such mapping.
inline std::string flags_of(const void* memory) {
    const auto address = reinterpret_cast<std::uintptr_t>(memory);
    std::ifstream smaps("/proc/self/smaps");
    bool is_inside = false;
    for (std::string line; std::getline(smaps, line);) {
        std::uintptr_t start = 0;
        std::uintptr_t end = 0;
        char dash = 0;
        std::istringstream head(line);
        if (head >> std::hex >> start >> dash >> end && dash == '-') {
            is_inside = start <= address && address < end;
        } else if (is_inside && line.starts_with("VmFlags:")) {
            return line.substr(8) + " ";
        }
    }
    return "";
}

}  // namespace trebuchet
