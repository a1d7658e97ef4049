#pragma once

#include "common/base/result.hpp"
#include "common/secret/secret_string.hpp"

namespace trebuchet {

/// Reads a secret value of at most 1 MiB: from a terminal one line, without echo; else all of stdin, without its final
/// newline unless `keep_newline`. The terminal is as before afterwards, also after Ctrl-C.
[[nodiscard]] Result<SecretString> read_value(bool keep_newline);

}  // namespace trebuchet
