#include "common/base/json_scan.hpp"

#include <utility>

namespace trebuchet {
namespace {

constexpr std::size_t longest_text = 256;

}  // namespace

void JsonStringScan::feed(std::string_view text) {
    for (const char c : text) {
        if (found_) return;
        if (!in_string_) {
            take_structure(c);
        } else if (std::exchange(escaped_, false)) {
            is_plain_ = false;
        } else if (c == '\\') {
            escaped_ = true;
        } else if (c == '"') {
            end_string();
        } else if (depth_ == 1) {
            if (text_.size() < longest_text) {
                text_ += c;
            } else {
                is_plain_ = false;
            }
        }
    }
}

void JsonStringScan::take_structure(char c) {
    switch (c) {
        case '"':
            in_string_ = true;
            is_plain_ = true;
            text_.clear();
            break;
        case '{':
        case '[':
            if (depth_ == 0) is_object_ = c == '{';
            ++depth_;
            break;
        case '}':
        case ']':
            if (depth_ > 0) --depth_;
            break;
        case ':':
            if (depth_ == 1) value_is_next_ = true;
            break;
        case ',':
            if (depth_ == 1) value_is_next_ = false;
            break;
        default:
            break;
    }
}

void JsonStringScan::end_string() {
    in_string_ = false;
    if (depth_ != 1 || !is_object_) return;
    if (!value_is_next_) {
        value_is_wanted_ = is_plain_ && text_ == wanted_;
    } else if (std::exchange(value_is_wanted_, false) && is_plain_) {
        found_ = text_;
    }
}

}  // namespace trebuchet
