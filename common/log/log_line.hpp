#pragma once

#include "common/mask/masked_chunk.hpp"

#include <map>
#include <string>
#include <string_view>

namespace trebuchet {

/// Makes the text one line of valid UTF-8 that is safe on a terminal: escapes newlines and other control characters,
/// and cuts after `limit` bytes with a note.
[[nodiscard]] std::string one_line(const MaskedChunk& text, std::size_t limit);

/// Fields of a message, such as JOB_ID, by name.
using LogFields = std::map<std::string, std::string>;

/// The message as the native protocol of the systemd journal has it (systemd.io/JOURNAL_NATIVE_PROTOCOL): NAME=VALUE
/// lines. `priority`: of syslog, '0' to '7'. `text` must be one line.
[[nodiscard]] std::string journal_datagram(char priority, std::string_view text, const LogFields& fields);

/// The message as one line of JSON. `time`: ISO 8601. The fields have lower case names.
[[nodiscard]] std::string json_line(const std::string& time, std::string_view level, std::string_view text,
                                    const LogFields& fields);

/// True if `fd` is the systemd journal's stream, which $JOURNAL_STREAM names ("device:inode", or null).
[[nodiscard]] bool is_journal(int fd, const char* journal_stream);

}  // namespace trebuchet
