#pragma once

#include "common/base/result.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace trebuchet {

/// Limits for untrusted patterns and names, in bytes.
inline constexpr std::size_t longest_pattern_text = 256;
inline constexpr std::size_t longest_matched_name = 1024;

/// The name of an environment or a plan, or a regular expression for names. Matches what Python's re.fullmatch matches:
/// a pattern that means something else here is refused. Immutable and thread-safe; copies share the compiled pattern.
class NamePattern {
  public:
    /// The Error says what in the pattern is refused, where, and what to write instead.
    [[nodiscard]] static Result<NamePattern> parse(std::string_view text);

    /// Whether the whole name matches. False for a name longer than longest_matched_name.
    [[nodiscard]] bool matches(std::string_view name) const;
    [[nodiscard]] const std::string& text() const { return text_; }

  private:
    struct Compiled;
    NamePattern(std::string text, std::shared_ptr<const Compiled> compiled)
        : text_(std::move(text)), compiled_(std::move(compiled)) {}

    std::string text_;
    std::shared_ptr<const Compiled> compiled_;
};

}  // namespace trebuchet
