#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace trebuchet {

/// Finds the value of one key at the top level of a JSON object that comes in pieces, if it is a string: in texts that
/// are too long to be kept, cut off, or broken further on. It checks nothing, keeps a few bytes only, and takes a value
/// of more than 256 bytes, or with an escape in it, for none.
class JsonStringScan {
  public:
    explicit JsonStringScan(std::string key) : wanted_(std::move(key)) {}

    void feed(std::string_view text);
    /// The first one.
    [[nodiscard]] const std::optional<std::string>& found() const { return found_; }

  private:
    void take_structure(char c);
    void end_string();

    std::string wanted_;
    std::optional<std::string> found_;
    std::size_t depth_ = 0;
    bool in_string_ = false;
    bool escaped_ = false;
    bool is_plain_ = true;        ///< the string so far: short enough and without escapes
    bool value_is_next_ = false;  ///< a colon was seen at the top level
    bool value_is_wanted_ = false;
    bool is_object_ = false;
    std::string text_;
};

}  // namespace trebuchet
