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

/// What to wait for on a console.
class SerialPattern {
  public:
    [[nodiscard]] static SerialPattern literal(std::string text);
    /// POSIX extended, over bytes; `^` and `$` match at lines.
    [[nodiscard]] static Result<SerialPattern> regex(const std::string& expression);

    struct Match {
        std::size_t begin = 0;
        std::size_t end = 0;
    };
    [[nodiscard]] std::optional<Match> find(std::string_view text) const;
    /// For messages.
    [[nodiscard]] const std::string& text() const { return text_; }

  private:
    struct FreeRegex {
        void operator()(regex_t* regex) const;
    };
    explicit SerialPattern(std::string text) : text_(std::move(text)) {}

    std::string text_;
    std::shared_ptr<const regex_t> regex_;
};

/// The end of what a console printed and nobody has matched yet; what is older than 64 KiB is forgotten.
class SerialWindow {
  public:
    void add(std::string_view text);
    /// Takes out all up to the end of the first match, and returns it; nothing, and nothing taken, if there is none.
    [[nodiscard]] std::optional<std::string> take(const SerialPattern& pattern);
    /// The last line that holds something, for messages.
    [[nodiscard]] std::string last_line() const;

  private:
    std::string text_;
};

/// Puts the time, "[2026-11-20T20:31:00.123456+00:00] ", in front of each line, when its first byte comes.
class LineStamper {
  public:
    [[nodiscard]] std::string stamp(std::string_view text, std::chrono::system_clock::time_point now);

  private:
    bool at_start_ = true;
};

}  // namespace trebuchet
