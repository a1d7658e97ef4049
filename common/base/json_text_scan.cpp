#include "common/base/json_text_scan.hpp"

#include <algorithm>
#include <utility>

// For each byte:
//
//  1. Outside a string, brackets change the depth. At depth 1 a colon means that a value follows, and a comma that
//     a key follows. When the depth returns to 0, the object is complete.
//  2. A string at depth 1 that is not a value is a key: compare it with the wanted one.
//  3. A string that is the wanted key's value is measured: decode its escapes to UTF-8, count the bytes, and keep the
//     last `tail_limit` of them. Two escapes of a surrogate pair, \ud83d\ude00, make one character.
//  4. Other strings are skipped, so that brackets, colons and quotes in them have no effect.
//
// Example: key "output", tail_limit 4, pieces `{"a":{"output":1},"out` and `put":"x\u00e4yz"`. The first "output" is at
// depth 2 and ignored. The second one is split between the pieces; its value is "xäyz": length() is 5 bytes, tail() is
// "äyz", and value() is nullopt, because 5 bytes are more than the limit. is_complete() is false: no "}" yet.
namespace trebuchet {
namespace {

/// A longer key is not compared, as it cannot be the wanted one.
constexpr std::size_t longest_key = 256;
constexpr std::uint32_t replacement = 0xFFFD;

std::uint32_t hex_value(char c) {
    if (c >= '0' && c <= '9') return static_cast<std::uint32_t>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<std::uint32_t>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return static_cast<std::uint32_t>(c - 'A' + 10);
    return 0;
}

}  // namespace

std::optional<std::string> JsonTextScan::value() const {
    if (!has_value_ || length_ > tail_limit_) return std::nullopt;
    return std::string(tail());
}

std::string_view JsonTextScan::tail() const {
    const std::string_view all = tail_;
    return all.substr(all.size() - std::min(all.size(), tail_limit_));
}

void JsonTextScan::feed(std::string_view text) {
    for (const char c : text) {
        if (in_string_) {
            take_in_string(c);
        } else {
            take_structure(c);
        }
    }
}

void JsonTextScan::take_structure(char c) {
    switch (c) {
        case '"':
            in_string_ = true;
            key_.clear();
            measuring_ = depth_ == 1 && is_object_ && value_is_next_ && std::exchange(value_is_wanted_, false);
            if (measuring_) {
                has_value_ = false;
                length_ = 0;
                tail_.clear();
            }
            break;
        case '{':
        case '[':
            if (depth_ == 0) is_object_ = c == '{';
            ++depth_;
            break;
        case '}':
        case ']':
            if (depth_ > 0 && --depth_ == 0) complete_ = true;
            break;
        case ':':
            if (depth_ == 1) value_is_next_ = true;
            break;
        case ',':
            if (depth_ == 1) value_is_next_ = value_is_wanted_ = false;
            break;
        default:
            break;
    }
}

void JsonTextScan::take_in_string(char c) {
    if (hex_left_ > 0) {
        code_unit_ = code_unit_ * 16 + hex_value(c);
        if (--hex_left_ == 0) end_unicode_escape();
    } else if (std::exchange(escaped_, false)) {
        take_escape(c);
    } else if (c == '\\') {
        escaped_ = true;
    } else if (c == '"') {
        end_string();
    } else {
        add(c);
    }
}

void JsonTextScan::take_escape(char c) {
    switch (c) {
        case 'u':
            hex_left_ = 4;
            code_unit_ = 0;
            break;
        case 'b':
            add('\b');
            break;
        case 'f':
            add('\f');
            break;
        case 'n':
            add('\n');
            break;
        case 'r':
            add('\r');
            break;
        case 't':
            add('\t');
            break;
        default:
            add(c);
    }
}

void JsonTextScan::end_unicode_escape() {
    const bool is_high = code_unit_ >= 0xD800 && code_unit_ < 0xDC00;
    const bool is_low = code_unit_ >= 0xDC00 && code_unit_ < 0xE000;
    if (is_high) {
        high_surrogate_ = code_unit_;
    } else if (!is_low) {
        add_code_point(code_unit_);
    } else if (const auto high = std::exchange(high_surrogate_, 0); high != 0) {
        add_code_point(0x10000 + ((high - 0xD800) << 10U) + (code_unit_ - 0xDC00));
    } else {
        add_code_point(replacement);
    }
}

void JsonTextScan::add_code_point(std::uint32_t code) {
    const auto continuation = [](std::uint32_t bits) { return static_cast<char>(0x80U | (bits & 0x3FU)); };
    if (code < 0x80) {
        add(static_cast<char>(code));
    } else if (code < 0x800) {
        add(static_cast<char>(0xC0U | (code >> 6U)));
        add(continuation(code));
    } else if (code < 0x10000) {
        add(static_cast<char>(0xE0U | (code >> 12U)));
        add(continuation(code >> 6U));
        add(continuation(code));
    } else {
        add(static_cast<char>(0xF0U | (code >> 18U)));
        add(continuation(code >> 12U));
        add(continuation(code >> 6U));
        add(continuation(code));
    }
}

void JsonTextScan::add(char byte) {
    if (!measuring_) {
        if (key_.size() <= longest_key) key_ += byte;
        return;
    }
    ++length_;
    tail_ += byte;
    if (tail_.size() > 2 * tail_limit_ + 64) tail_.erase(0, tail_.size() - tail_limit_);
}

void JsonTextScan::end_string() {
    in_string_ = false;
    high_surrogate_ = 0;
    if (!measuring_ && depth_ == 1 && !value_is_next_) value_is_wanted_ = key_ == wanted_;
    has_value_ = has_value_ || measuring_;
    measuring_ = false;
}

}  // namespace trebuchet
