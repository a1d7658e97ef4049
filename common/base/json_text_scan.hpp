#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace trebuchet {

/// Reads the string value of one key at the top level of a JSON object that comes in pieces: in texts that are too long
/// to be kept, cut off, or broken elsewhere. It keeps the value's length in UTF-8 and its end. If the key is there more
/// than once, the last one counts.
class JsonTextScan {
  public:
    /// `tail_limit`: bytes of the value's end that are kept, at most.
    JsonTextScan(std::string key, std::size_t tail_limit) : wanted_(std::move(key)), tail_limit_(tail_limit) {}

    void feed(std::string_view text);

    /// The value, if it was there to its end, and no longer than the limit.
    [[nodiscard]] std::optional<std::string> value() const;
    [[nodiscard]] std::uint64_t length() const { return length_; }
    [[nodiscard]] std::string_view tail() const;
    /// Whether the object has ended: then a key that was not found is not there.
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
    int hex_left_ = 0;  ///< digits of a \u escape that are still to come
    std::uint32_t code_unit_ = 0;
    std::uint32_t high_surrogate_ = 0;
    std::string key_;
    std::uint64_t length_ = 0;
    std::string tail_;
};

}  // namespace trebuchet
