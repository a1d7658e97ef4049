#pragma once

#include "common/archive/content_inspection.hpp"
#include "common/base/result.hpp"
#include "common/mask/mask_counts.hpp"
#include "common/mask/mask_set.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace trebuchet {

/// Limits for an archive. Entries beyond them are left out.
struct TarGzLimits {
    std::size_t entries = 100'000;
    std::size_t depth = 64;                                       ///< nested folders
    std::uint64_t bytes = std::uint64_t{8} * 1024 * 1024 * 1024;  ///< of all files together, masked
    const std::atomic<bool>* stop = nullptr;                      ///< set by another thread: then packing fails
    InspectionLimits inspection;  ///< for inspecting each file; its `stop` is replaced by the one above
    std::uint64_t expanded = std::uint64_t{16} << 30;  ///< bytes decompressed to inspect all files' archives together
    bool withholds_text = false;                       ///< withhold text with secrets too, instead of masking it
};

struct TarGzReport {
    std::size_t entries = 0;  ///< folders, files and links in the archive, including the top folder
    std::uint64_t bytes = 0;  ///< of all files together, masked
    /// The first 100 entries that were left out or changed during packing: one line each with name and reason, masked.
    std::vector<std::string> left_out;
    std::size_t left_out_count = 0;
    std::vector<std::string> withheld;  ///< likewise: the first 100 files replaced by a note
    std::size_t withheld_count = 0;
    MaskCounts found;  ///< secrets that were masked or caused a file to be withheld
};

/// Writes `folder` to `fd` as a gzip-compressed tar (GNU format). Every path begins with the folder's own name. Masks
/// the content of text files, names and link targets. If masking makes names equal, they get numbers.
///
/// A binary file, archive or compressed file is withheld if a secret is found in it (content_inspection.hpp), or if it
/// cannot be inspected while secrets are registered. A note `NAME.withheld.txt` replaces it and gives the reason
/// without the value. Other files are packed unchanged.
///
/// The folder may be hostile and change meanwhile. A link to a file in the folder, also an absolute one, is packed as
/// that file; a link to a folder in it, or to nothing, as a relative link, if it cannot lead out of the folder. No
/// other link is followed. Left out: other links, devices, FIFOs, sockets, mounted file systems, and the archive
/// itself. If a file changes during packing, it is padded with zeros or cut to its first size. Keeps times and
/// permissions, but not owners and set-uid bits.
///
/// Memory is bounded by the number of names in one folder, the longest secret, and InspectionLimits. Fails if `folder`
/// cannot be opened or `fd` cannot be written; then the output is not an archive.
[[nodiscard]] Result<TarGzReport> write_tar_gz(const std::filesystem::path& folder, int fd,
                                               std::shared_ptr<const MaskSet> masks, const TarGzLimits& limits = {});

}  // namespace trebuchet
