#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace trebuchet::bench {

/// Text like a lab's console and test logs. The same in each run.
[[nodiscard]] std::string log_text(std::size_t size);

/// Tokens, passwords, hex keys and so on, of 12 to 60 bytes. None occurs in log_text(). The same in each run.
[[nodiscard]] std::vector<std::string> secrets(std::size_t count);

/// `text` with one of `values` every `distance` bytes.
[[nodiscard]] std::string with_hits(const std::string& text, const std::vector<std::string>& values,
                                    std::size_t distance);

}  // namespace trebuchet::bench
