#pragma once

#include "common/mask/credential_rules.hpp"

#include <cstddef>
#include <string_view>

namespace trebuchet {

/// A part of a stream; all positions are the stream's.
class StreamPart {
  public:
    StreamPart(std::string_view bytes, std::size_t begin) : bytes_(bytes), begin_(begin) {}

    [[nodiscard]] std::size_t end() const { return begin_ + bytes_.size(); }
    [[nodiscard]] char at(std::size_t position) const { return bytes_[position - begin_]; }
    [[nodiscard]] std::string_view from(std::size_t first, std::size_t last) const {
        return bytes_.substr(first - begin_, last - first);
    }
    /// At most `count` bytes in front of `position`.
    [[nodiscard]] std::string_view before(std::size_t position, std::size_t count) const {
        const auto first = position - begin_ > count ? position - count : begin_;
        return from(first, position);
    }

  private:
    std::string_view bytes_;
    std::size_t begin_;
};

/// One place in a stream where a rule's pattern matched, and what became of it. It depends on nothing but the stream's
/// bytes from longest_pattern + longest_look_back in front of the value on, wherever they were cut.
class CredentialAttempt {
  public:
    enum class State : unsigned char { open, rejected, matched };

    /// `pattern_end`: where the match of the pattern ends.
    CredentialAttempt(const CredentialRule& rule, std::size_t pattern_end)
        : rule_(&rule),
          begin_(pattern_end - rule.in_pattern),
          end_(begin_),
          position_(begin_),
          hold_(rule.shape == CredentialShape::authority ? none : begin_),
          line_(begin_),
          body_end_(begin_) {}

    /// Looks at what has come since; each byte is looked at once. `last`: nothing more will come.
    State advance(const StreamPart& text, bool last);

    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    /// Where the value may begin, so that nothing from there on may go out while it is open; `none` if it has not begun
    /// yet.
    [[nodiscard]] std::size_t hold() const { return hold_; }

    /// Of the value, once it matched.
    [[nodiscard]] std::size_t begin() const { return begin_; }
    [[nodiscard]] std::size_t end() const { return end_; }
    [[nodiscard]] const CredentialRule& rule() const { return *rule_; }

  private:
    State advance_token(const StreamPart& text, bool last);
    State advance_authority(const StreamPart& text, bool last);
    State end_authority(const StreamPart& text);
    [[nodiscard]] bool may_be_in_password(const StreamPart& text) const;
    State advance_block(const StreamPart& text, bool last);
    State end_block(const StreamPart& text, std::size_t end, bool marked);

    const CredentialRule* rule_;
    std::size_t begin_;
    std::size_t end_;
    std::size_t position_;
    std::size_t hold_;
    /// Of an authority: the last @, and whether it seems to go on behind what should end it.
    std::size_t at_ = none;
    bool unescaped_ = false;
    /// Of a block: where the line at position_ begins, the end of the last line that looks like a key's body, and how
    /// many lines there were since that don't.
    std::size_t line_;
    std::size_t body_end_;
    unsigned foreign_lines_ = 0;
    bool has_body_ = false;
};

}  // namespace trebuchet
