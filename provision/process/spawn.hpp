#pragma once

#include "common/base/result.hpp"
#include "common/file/safe_file.hpp"
#include "provision/process/command.hpp"

#include <string_view>

#include <sys/types.h>

namespace trebuchet {

/// A child's descriptors. -1: /dev/null for stdin, inherited for an output.
struct ChildFiles {
    int input = -1;
    int output = -1;
    int errors = -1;
};

/// Starts the command in its own process group, with no signal blocked and default handlers. Returns 0 or an errno.
[[nodiscard]] int spawn(const Command& command, const ChildFiles& files, pid_t& pid);

/// An in-memory file, positioned at its start. The error is an errno.
[[nodiscard]] tl::expected<FileDescriptor, int> memory_file(std::string_view content = {});

}  // namespace trebuchet
