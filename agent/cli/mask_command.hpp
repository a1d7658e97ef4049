#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace trebuchet {

struct MaskCommandOptions {
    /// A JSON object, name to value; a number or a boolean stands for its text.
    std::filesystem::path secrets_file;
    /// Most bytes per read(2) of standard input; at least 1.
    std::size_t read_size = 65536;
    /// Kinds of well-known credentials (credential_kind_names) that are not to be masked.
    std::vector<std::string> credentials_off;
    /// Instead of copying, say which forms of which value are masked, which values are weak, and which kinds of
    /// well-known credentials are masked.
    bool check = false;
};

/// `trebuchet-agent mask`: copies standard input to standard output, masked, as it comes. Returns the exit code: 0,
/// also when nobody reads the output any more; 1 if reading or writing fails; 2 if the secrets can't be used or a kind
/// is unknown, before anything is written. With `check`, prints what is masked, by name, and reads no standard input.
[[nodiscard]] int mask_command(const MaskCommandOptions& options);

}  // namespace trebuchet
