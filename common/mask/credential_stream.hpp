#pragma once

#include "common/mask/credential_attempt.hpp"
#include "common/mask/credential_kind.hpp"
#include "common/mask/credential_patterns.hpp"
#include "common/mask/pattern_database.hpp"
#include "common/secret/secret_string.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// Replaces well-known credentials in one stream at a time, wherever the writes happen to cut it. Comes behind the
/// masking of registered secrets, whose masks it leaves alone.
///
/// What tells a credential (`ghp_`, `Bearer `, the line BEGIN … PRIVATE KEY) stays visible; the value behind it becomes
/// one mask, made from the whole credential. Overlapping values become one mask, that of the leftmost, and of several
/// that begin there of the longest. Only a value that has begun is held back, until its end is known: at most
/// longest_credential bytes. Not for use by two threads at once.
class CredentialStream {
  public:
    /// Called once for each mask made, from within write() and finish(). Must not throw.
    using Report = std::function<void(CredentialKind)>;

    explicit CredentialStream(std::shared_ptr<const CredentialPatterns> patterns, Report report = {});

    /// Appends to `out` what is certain after `bytes`. Throws std::logic_error or std::bad_alloc if it can't search:
    /// then nothing more of the stream may be let out.
    void write(std::string_view bytes, std::string& out);
    /// Appends what was held; then a new stream may start.
    void finish(std::string& out);
    /// The stream's last or only bytes: write() and finish() in one.
    void write_last(std::string_view bytes, std::string& out);

    [[nodiscard]] std::size_t held() const { return end() - std::min(end(), done_); }

  private:
    struct Value {
        std::size_t begin;
        std::size_t end;
        const CredentialRule* rule;
    };
    /// Where a rule's pattern matched.
    struct Hit {
        std::uint32_t rule;
        std::size_t end;
    };

    [[nodiscard]] std::size_t end() const { return window_begin_ + window_.size(); }
    [[nodiscard]] StreamPart part() const { return {window_, window_begin_}; }
    void take(std::string_view bytes, bool last, std::string& out);
    void search(std::size_t scanned, bool last);
    bool settle(CredentialAttempt& attempt, bool last);
    [[nodiscard]] std::size_t certain() const;
    void emit(std::size_t until, std::string& out);
    void emit_value(const Value& value, std::string& out);
    void forget();

    std::shared_ptr<const CredentialPatterns> patterns_;
    Report report_;
    std::optional<PatternDatabase::Scratch> scratch_;
    /// The last bytes that went out, as many as a search may look back on, and what is held. Positions are the
    /// stream's.
    WipedString window_;
    std::size_t window_begin_ = 0;
    /// How far the stream has been dealt with: let out, or covered by a mask.
    std::size_t done_ = 0;
    std::vector<CredentialAttempt> open_;
    /// Found, but not let out; in the order in which they begin, and of those that begin together the longest first.
    std::vector<Value> values_;
    std::vector<Hit> hits_;
    /// What was masked last and how: often it is the same again, and a mask costs more than a search for it.
    WipedString last_piece_;
    std::string last_mask_;
};

}  // namespace trebuchet
