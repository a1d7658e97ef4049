#pragma once

#include "agent/job/phase.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace trebuchet {

/// The fragment of a log series that was sent, or is about to be, and is not confirmed.
struct SpooledFragment {
    std::uint64_t number = 0;
    std::string timestamp;
    Phase phase = Phase::setup;
    std::uint64_t end = 0;  ///< its text ends before this position
};

/// How much of a log series is sent. Positions count the bytes of its text from 0, over the whole job.
struct SpoolState {
    std::uint64_t next_number = 0;
    std::uint64_t confirmed = 0;                 ///< everything before this position has arrived or is left out
    std::map<Phase, std::uint64_t> shown_bytes;  ///< confirmed bytes, counted as the server shows them: as valid UTF-8
    std::optional<SpooledFragment> under_way;    ///< its text begins at `confirmed`

    [[nodiscard]] std::uint64_t shown_bytes_of(Phase phase) const {
        const auto shown = shown_bytes.find(phase);
        return shown == shown_bytes.end() ? 0 : shown->second;
    }
};

/// A piece of masked text at its position.
struct SpoolText {
    Phase phase = Phase::setup;
    std::uint64_t position = 0;
    std::string_view text;  ///< not empty
};

/// The records in a spool's files: texts in the order of their positions, and states. The last state counts.
using SpoolRecord = std::variant<SpoolText, SpoolState>;

/// The bytes that precede the text in a record.
[[nodiscard]] std::string spool_text_head(Phase phase, std::uint64_t position);
[[nodiscard]] std::string spool_state_payload(const SpoolState& state);

/// Nothing if the record is invalid. The result refers to `payload`.
[[nodiscard]] std::optional<SpoolRecord> parse_spool_record(std::string_view payload);

}  // namespace trebuchet
