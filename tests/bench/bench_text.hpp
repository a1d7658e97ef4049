#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace trebuchet::bench {

/// Text like the console and test logs of a lab; the same each time.
[[nodiscard]] std::string log_text(std::size_t size);

/// Tokens, passwords, hex keys and the like, of 12 to 60 bytes, none of which stands in log_text(); the same each time.
[[nodiscard]] std::vector<std::string> secrets(std::size_t count);

/// `text` with one of `values` in each `distance` bytes.
[[nodiscard]] std::string with_hits(const std::string& text, const std::vector<std::string>& values,
                                    std::size_t distance);

}  // namespace trebuchet::bench
