#pragma once

#include <string>
#include <vector>

namespace trebuchet::bench {

/// Bytes per second of CPU time with which Python's `re` replaces the values in a text, 64 KB at a time, as the
/// reference agent does; 0 if there is no python3.
[[nodiscard]] double python_rate(const std::vector<std::string>& values, const std::string& text);

/// What `trebuchet-agent mask` takes for a file of at least `size` bytes that repeats `text`.
struct ProcessCost {
    double bytes;
    double cpu_seconds;
    double wall_seconds;
};
/// Throws std::runtime_error if it fails.
[[nodiscard]] ProcessCost mask_process_cost(const std::vector<std::string>& values, const std::string& text,
                                            std::size_t size);

}  // namespace trebuchet::bench
