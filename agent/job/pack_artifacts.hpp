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
    bool may_be_sent = true;            ///< false: they contain a secret and masking is `fail`; the archive is removed
    std::vector<std::string> withheld;  ///< lines for the job's log, masked: which files are withheld, and why
    std::vector<std::string> left_out;  ///< the same for files left out: "NAME: reason", such as a FIFO
    MaskCounts found;                   ///< secrets in files and names, as TarGzReport
};

/// Packs `folder` into the file `archive`, replacing an older one. May run on any thread; another thread may set
/// `stop`.
[[nodiscard]] Result<PackedArtifacts> pack_artifacts(const std::filesystem::path& folder,
                                                     const std::filesystem::path& archive, ArtifactsMasking masking,
                                                     std::shared_ptr<const MaskSet> masks,
                                                     const std::atomic<bool>* stop = nullptr);

}  // namespace trebuchet
