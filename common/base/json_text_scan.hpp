#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace trebuchet {

/// Finds one top-level key of a JSON object and keeps the length and the end of its string value. Reads the text in
/// pieces, in constant memory: for objects that are too long to parse, truncated or invalid elsewhere. If the key
/// occurs more than once, the last value counts.
class JsonTextScan {
  public:
    /// `tail_limit`: how many bytes to keep of the value's end.
    JsonTextScan(std::string key, std::size_t tail_limit) : wanted_(std::move(key)), tail_limit_(tail_limit) {}

    void feed(std::string_view text);

    /// The value; nullopt if it is missing, incomplete or longer than the limit.
    [[nodiscard]] std::optional<std::string> value() const;
    [[nodiscard]] std::uint64_t length() const { return length_; }
    [[nodiscard]] std::string_view tail() const;
    /// The object has ended: a key that was not found does not exist.
    [[nodiscard]] bool is_complete() const { return complete_; }

  private:
    void take_structure(char c);
    void take_in_string(char c);
    void take_escape(char c);
    void end_unicode_escape();
    void add_code_point(std::uint32_t code);
    void add(char byte);
    void end_string();

    std::string wanted_;
    std::size_t tail_limit_;
    std::size_t depth_ = 0;
    bool complete_ = false;
    bool is_object_ = false;
    bool in_string_ = false;
    bool value_is_next_ = false;  ///< a colon was seen at the top level
    bool value_is_wanted_ = false;
    bool measuring_ = false;  ///< this string is the wanted value
    bool has_value_ = false;
    bool escaped_ = false;
    int hex_left_ = 0;  ///< missing digits of a \u escape
    std::uint32_t code_unit_ = 0;
    std::uint32_t high_surrogate_ = 0;
    std::string key_;
    std::uint64_t length_ = 0;
    std::string tail_;
};

}  // namespace trebuchet
