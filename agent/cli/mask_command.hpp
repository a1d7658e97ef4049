#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

namespace trebuchet {

struct MaskCommandOptions {
    /// A JSON object: name → value. Numbers and booleans count as their text.
    std::filesystem::path secrets_file;
    /// Maximum bytes per read(2) of standard input; at least 1.
    std::size_t read_size = 65536;
    /// Kinds of well-known credentials (credential_kind_names) not to mask.
    std::vector<std::string> credentials_off;
    /// Do not copy; print which forms of each value are masked, which values are weak, and which kinds of credentials
    /// are masked.
    bool check = false;
};

/// `trebuchet-agent mask`: copies standard input to standard output and masks it, without waiting for complete lines.
/// Exit codes: 0 success, also if the output is closed; 1 reading or writing failed; 2 the secrets cannot be used or a
/// kind is unknown (nothing was written). With `check` it does not read standard input.
[[nodiscard]] int mask_command(const MaskCommandOptions& options);

}  // namespace trebuchet
