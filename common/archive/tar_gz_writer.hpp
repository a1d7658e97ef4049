#pragma once

#include "common/archive/content_look.hpp"
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

/// Bounds on what goes into an archive: what lies beyond them is left out. And what becomes of secrets in text.
struct TarGzLimits {
    std::size_t entries = 100'000;
    std::size_t depth = 64;                                       ///< folders within folders
    std::uint64_t bytes = std::uint64_t{8} * 1024 * 1024 * 1024;  ///< contents of all files together, masked
    const std::atomic<bool>* stop = nullptr;  ///< another thread may set it: then the packing ends with an Error
    LookLimits look;                          ///< into each file; its `stop` is the one above
    std::uint64_t expanded = std::uint64_t{16} << 30;  ///< that may come out of all files' archives together
    bool withholds_text = false;                       ///< text with a secret is withheld as well, not masked
};

struct TarGzReport {
    std::size_t entries = 0;  ///< folders, files and links in the archive, the folder itself included
    std::uint64_t bytes = 0;  ///< contents of all files together, masked
    /// Names and reasons, masked, each for one line: what was left out, or changed while it was packed. The first 100.
    std::vector<std::string> left_out;
    std::size_t left_out_count = 0;
    std::vector<std::string> withheld;  ///< the same of the files that are replaced by a note. The first 100.
    std::size_t withheld_count = 0;
    MaskCounts found;  ///< the secrets that were masked, and those because of which files are withheld
};

/// Writes `folder` and what is in it to `fd` as a gzip-compressed tar (GNU format), with the folder's own name in front
/// of every path. Text files' contents, names and links' targets are masked. A name that masking would make equal to
/// another gets a number.
///
/// A file that is binary, an archive or compressed is withheld if a secret is seen in it (content_look.hpp), or, once a
/// secret is registered, if it can't be looked into: in its place stands `NAME.withheld.txt`, which says why without a
/// value. Else it goes in as it is.
///
/// The folder may be hostile, and change while it is read. Links are not followed: one whose target can't lead out of
/// the folder goes into the archive as a link. Left out are other links, what is no file, folder or link, other file
/// systems mounted in it, and the archive itself. A file that changes is padded with zeros or cut to its length
/// at the start. Owners and set-uid bits are not kept; times and permissions are.
///
/// Memory is bounded by the number of names in one folder, the longest secret, and LookLimits. An Error if `folder`
/// can't be opened or `fd` not be written to; what was written until then is no archive.
[[nodiscard]] Result<TarGzReport> write_tar_gz(const std::filesystem::path& folder, int fd,
                                               std::shared_ptr<const MaskSet> masks, const TarGzLimits& limits = {});

}  // namespace trebuchet
