#pragma once

#include "common/base/result.hpp"
#include "common/file/safe_file.hpp"
#include "provision/process/command.hpp"

#include <string>

#include <sys/types.h>

namespace trebuchet {

/// Descriptors for a child. -1: stdin is /dev/null, an output is ours.
struct ChildFiles {
    int input = -1;
    int output = -1;
    int errors = -1;
};

/// Starts the command in a process group of its own, with nothing blocked and every signal at its default. Returns
/// errno's value, 0 if it runs.
[[nodiscard]] int spawn(const Command& command, const ChildFiles& files, pid_t& pid);

/// A file in memory, positioned at its start; without a value: errno's.
[[nodiscard]] tl::expected<FileDescriptor, int> memory_file(std::string_view content = {});

/// What is in such a file, at most its first `limit` bytes.
[[nodiscard]] std::string read_start(const FileDescriptor& file, std::size_t limit = Command::usual_output_limit);

}  // namespace trebuchet
