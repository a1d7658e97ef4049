#pragma once

#include "common/mask/masked_chunk.hpp"

#include <string>
#include <string_view>

namespace trebuchet {

/// Makes the text one line of valid UTF-8 that is safe on a terminal: escapes newlines and other control characters,
/// and cuts after `limit` bytes with a note.
[[nodiscard]] std::string one_line(const MaskedChunk& text, std::size_t limit);

/// True if `fd` is the systemd journal's stream, which $JOURNAL_STREAM names ("device:inode", or null).
[[nodiscard]] bool is_journal(int fd, const char* journal_stream);

}  // namespace trebuchet
