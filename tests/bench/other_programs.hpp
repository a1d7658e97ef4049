#pragma once

#include <string>
#include <vector>

namespace trebuchet::bench {

/// How many bytes Python's `re` masks per second of CPU time, 64 KB at a time, as the reference agent does. Returns 0
/// if there is no python3.
[[nodiscard]] double python_rate(const std::vector<std::string>& values, const std::string& text);

/// The time that `trebuchet-agent mask` takes for a file.
struct ProcessCost {
    double bytes;
    double cpu_seconds;
    double wall_seconds;
};
/// Runs `trebuchet-agent mask` over a file of at least `size` bytes that repeats `text`. Throws std::runtime_error if
/// it fails.
[[nodiscard]] ProcessCost mask_process_cost(const std::vector<std::string>& values, const std::string& text,
                                            std::size_t size);

}  // namespace trebuchet::bench
