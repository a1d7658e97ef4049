#pragma once

#include "common/mask/credential_rules.hpp"

#include <cstddef>
#include <string_view>

namespace trebuchet {

/// A part of a stream. All positions are those of the stream.
class StreamPart {
  public:
    StreamPart(std::string_view bytes, std::size_t begin) : bytes_(bytes), begin_(begin) {}

    [[nodiscard]] std::size_t end() const { return begin_ + bytes_.size(); }
    [[nodiscard]] char at(std::size_t position) const { return bytes_[position - begin_]; }
    [[nodiscard]] std::string_view from(std::size_t first, std::size_t last) const {
        return bytes_.substr(first - begin_, last - first);
    }
    /// At most `count` bytes before `position`.
    [[nodiscard]] std::string_view before(std::size_t position, std::size_t count) const {
        const auto first = position - begin_ > count ? position - count : begin_;
        return from(first, position);
    }

  private:
    std::string_view bytes_;
    std::size_t begin_;
};

/// A match of a rule's pattern in a stream, and the check whether a credential follows. The result depends only on
/// bytes of the stream, starting longest_pattern + longest_look_back bytes before the value. How writes split them does
/// not matter.
class CredentialAttempt {
  public:
    enum class State : unsigned char { open, rejected, matched };

    /// `pattern_end`: the end of the pattern's match.
    CredentialAttempt(const CredentialRule& rule, std::size_t pattern_end)
        : rule_(&rule),
          begin_(pattern_end - rule.in_pattern),
          end_(begin_),
          position_(begin_),
          hold_(rule.shape == CredentialShape::authority ? none : begin_),
          line_(begin_),
          body_end_(begin_) {}

    /// Checks the new bytes, each byte once. `last`: the stream has ended.
    State advance(const StreamPart& text, bool last);

    static constexpr std::size_t none = static_cast<std::size_t>(-1);

    /// Where the value may begin. While the attempt is open, hold back everything from there on. `none` if no value has
    /// begun.
    [[nodiscard]] std::size_t hold() const { return hold_; }

    /// Position of the value. Valid after State::matched.
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
    /// For an authority: the last "@", and whether the password seems to contain an unescaped delimiter.
    std::size_t at_ = none;
    bool unescaped_ = false;
    /// For a block: start of the line at position_, end of the last line that looks like base64 of a key, and the
    /// number of other lines since then.
    std::size_t line_;
    std::size_t body_end_;
    unsigned foreign_lines_ = 0;
    bool has_body_ = false;
};

}  // namespace trebuchet
