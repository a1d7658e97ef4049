#pragma once

#include "common/mask/mask_set.hpp"

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace trebuchet {

/// What the entries of one folder are called in an archive, as pairs (name on disk, name in the archive), ordered by
/// the name on disk. `parent` is the folder's path in the archive. Names are masked, secrets with a slash in them too;
/// each is still a valid last part of a path, and none is there twice: a masked one that would be gets a number.
/// `counts`: as MaskSet::mask.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> masked_names(std::vector<std::string> names,
                                                                            const std::string& parent,
                                                                            const MaskSet& masks,
                                                                            MaskCounts* counts = nullptr);

/// What the note in place of a file is called: `archived` (its name in the archive) with ".withheld.txt" at its end,
/// masked, and unlike `taken`, the names in the same folder of the archive.
[[nodiscard]] std::string note_name(const std::string& archived, const std::set<std::string>& taken,
                                    const MaskSet& masks);

/// Whether a link in a folder `depth` levels below the top can only lead to something under the top, as long as all
/// other links do: a relative target with ".." only at its start, and no more of them than levels.
[[nodiscard]] bool stays_inside(const std::string& target, std::size_t depth);

}  // namespace trebuchet
