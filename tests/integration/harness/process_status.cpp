#include "tests/integration/harness/process_status.hpp"

#include <fstream>

namespace trebuchet::harness {

std::optional<long> process_status(pid_t pid, const std::string& key, const std::string& file) {
    std::ifstream status("/proc/" + std::to_string(pid) + "/" + file);
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with(key + ":")) return std::stol(line.substr(key.size() + 1));
    }
    return std::nullopt;
}

}  // namespace trebuchet::harness
