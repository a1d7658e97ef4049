#pragma once

#include "common/base/result.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <regex.h>

namespace trebuchet {

/// A text or regular expression to wait for on a console.
class SerialPattern {
  public:
    [[nodiscard]] static SerialPattern literal(std::string text);
    /// POSIX extended syntax, matched on bytes; `^` and `$` match at line ends.
    [[nodiscard]] static Result<SerialPattern> regex(const std::string& expression);

    struct Match {
        std::size_t begin = 0;
        std::size_t end = 0;
    };
    [[nodiscard]] std::optional<Match> find(std::string_view text) const;
    /// The text or the expression, for messages.
    [[nodiscard]] const std::string& text() const { return text_; }

  private:
    struct FreeRegex {
        void operator()(regex_t* regex) const;
    };
    explicit SerialPattern(std::string text) : text_(std::move(text)) {}

    std::string text_;
    std::shared_ptr<const regex_t> regex_;
};

/// Console output that has not been matched yet, at most its last MiB: as much as a reader may be late.
class SerialWindow {
  public:
    void add(std::string_view text);
    /// Removes and returns the text up to the end of the first match. Without a match it removes nothing.
    [[nodiscard]] std::optional<std::string> take(const SerialPattern& pattern);
    /// The last non-empty line, for messages.
    [[nodiscard]] std::string last_line() const;

  private:
    std::string text_;
};

/// Puts the arrival time of each line's first byte in front of it: "[2026-11-20T20:31:00.123456+00:00] ".
class LineStamper {
  public:
    [[nodiscard]] std::string stamp(std::string_view text, std::chrono::system_clock::time_point now);

  private:
    bool at_start_ = true;
};

}  // namespace trebuchet
