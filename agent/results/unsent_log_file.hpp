#pragma once

#include "agent/upload/log_uploader.hpp"

#include <string>
#include <string_view>

namespace trebuchet {

/// The rest of a log series as a file, which holds masked text only:
///
///     {"next_number": 7, "confirmed_bytes": {"test": 1234}, "waiting": [{"phase": "test", "text": "…"}],
///      "under_way": {"number": 6, "timestamp": "…", "phase": "test", "text": "…"} or null}
[[nodiscard]] std::string unsent_log_text(const UnsentLog& left);

/// The Error says what is wrong with it.
[[nodiscard]] Result<UnsentLog> parse_unsent_log(std::string_view text, LogSeries series);

}  // namespace trebuchet
