#pragma once

#include <string_view>

namespace trebuchet {

/// The start of a script for /bin/sh on another host: what the script started ends with the connection that it came by,
/// with TERM, and KILL after 5 s. sshd itself ends nothing: a script whose output nobody reads may run for ever.
///
/// 1. sshd makes each command the leader of a session, whose parent is sshd's process for the connection.
/// 2. A watcher in the background looks once a second whether this parent still lives. It has no end of the
///    connection's pipes, so it does not keep the connection open.
/// 3. It ends as soon as the script has. Where /proc is missing, it does nothing.
///
/// Processes of other users (sudo) and in sessions of their own go on: see end_leftovers_script().
[[nodiscard]] std::string_view connection_watch();

}  // namespace trebuchet
