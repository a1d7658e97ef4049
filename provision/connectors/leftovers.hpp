#pragma once

#include <chrono>
#include <string>
#include <string_view>

namespace trebuchet {

/// For SshTarget::mark: names the device and, in every call, another use of it: "board-1:5f3a…".
[[nodiscard]] std::string new_mark(std::string_view device);

/// A script for /bin/sh that ends what earlier uses of the same device left running on a host: every process that
/// carries another mark of the device than `mark`, and every one that writes `disk` by dd (`of=DISK`), also as root.
/// They get TERM, soon after KILL. Fails if one is still there after `wait`, and names it. `disk`: "" for none.
/// `program`: every process with this program in its command line as well, such as one by sudo, which carries no mark.
[[nodiscard]] std::string end_leftovers_script(std::string_view mark, const std::string& disk,
                                               std::chrono::seconds wait, const std::string& program = "");

}  // namespace trebuchet
