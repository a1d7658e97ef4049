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

/// Masks well-known credentials in one stream at a time, however it is split between writes. Runs after the masking of
/// registered secrets and does not change their masks.
///
/// What identifies a credential (`ghp_`, `Bearer `, the line BEGIN … PRIVATE KEY) stays visible; the value after it
/// becomes one mask, computed from the whole credential. Overlapping values become one mask: that of the leftmost
/// value, or of the longest of several leftmost ones. Holds back only a value that has begun, until its end is known:
/// at most longest_credential bytes. Not thread-safe. Algorithm: see credential_stream.cpp.
class CredentialStream {
  public:
    /// Called for each mask, within write() and finish(). Must not throw.
    using Report = std::function<void(CredentialKind)>;

    explicit CredentialStream(std::shared_ptr<const CredentialPatterns> patterns, Report report = {});

    /// Appends to `out` everything that is certain after `bytes`. Throws std::logic_error or std::bad_alloc if the
    /// search fails: then do not output the rest of the stream.
    void write(std::string_view bytes, std::string& out);
    /// Ends the stream: appends what was held. Then a new stream may start.
    void finish(std::string& out);
    /// write() and finish() in one.
    void write_last(std::string_view bytes, std::string& out);

    [[nodiscard]] std::size_t held() const { return end() - std::min(end(), done_); }

  private:
    struct Value {
        std::size_t begin;
        std::size_t end;
        const CredentialRule* rule;
    };
    /// A match of a rule's pattern.
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
    /// The held bytes, preceded by emitted bytes that a search may still look at. Positions are those of the stream.
    WipedString window_;
    std::size_t window_begin_ = 0;
    /// How much of the stream was emitted or is covered by a mask.
    std::size_t done_ = 0;
    std::vector<CredentialAttempt> open_;
    /// Found but not emitted; ordered by begin, the longest first.
    std::vector<Value> values_;
    std::vector<Hit> hits_;
    /// The last masked text and its mask, because the same credential often repeats and computing a mask is expensive.
    WipedString last_piece_;
    std::string last_mask_;
};

}  // namespace trebuchet
