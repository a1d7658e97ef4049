#pragma once

#include "agent/config/config.hpp"
#include "common/base/result.hpp"
#include "common/mask/mask_counts.hpp"
#include "common/mask/mask_set.hpp"

#include <atomic>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace trebuchet {

struct PackedArtifacts {
    bool may_be_sent = true;            ///< false: with `fail`, they contain a secret; the archive is removed
    std::vector<std::string> withheld;  ///< for the job's log, a line each, masked: which files, and why
    std::vector<std::string> left_out;  ///< the same: "NAME: reason", such as a FIFO
    MaskCounts found;                   ///< secrets in files and names, as TarGzReport
};

/// Packs `folder` into the new file `archive`, which replaces an older one. `stop` may be set by another thread. May
/// run on any thread.
[[nodiscard]] Result<PackedArtifacts> pack_artifacts(const std::filesystem::path& folder,
                                                     const std::filesystem::path& archive, ArtifactsMasking masking,
                                                     std::shared_ptr<const MaskSet> masks,
                                                     const std::atomic<bool>* stop = nullptr);

}  // namespace trebuchet
