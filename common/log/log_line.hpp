#pragma once

#include "common/mask/masked_chunk.hpp"

#include <string>
#include <string_view>

namespace trebuchet {

/// The text as one line of valid UTF-8 that no terminal obeys: newlines and other control characters escaped, cut
/// after `limit` bytes with a note.
[[nodiscard]] std::string one_line(const MaskedChunk& text, std::size_t limit);

/// Whether `fd` is the stream to the systemd journal that $JOURNAL_STREAM ("device:inode", or null) names.
[[nodiscard]] bool is_journal(int fd, const char* journal_stream);

}  // namespace trebuchet
