#pragma once

#include <cstddef>
#include <filesystem>

namespace trebuchet {

struct MaskCommandOptions {
    /// A JSON object, name to value; a number or a boolean stands for its text.
    std::filesystem::path secrets_file;
    /// Most bytes per read(2) of standard input; at least 1.
    std::size_t read_size = 65536;
};

/// `trebuchet-agent mask`: copies standard input to standard output, masked, as it comes. Returns the exit code: 0,
/// also when nobody reads the output any more; 1 if reading or writing fails; 2 if the secrets can't be used, before
/// anything is written.
[[nodiscard]] int mask_command(const MaskCommandOptions& options);

}  // namespace trebuchet
