#pragma once

#include "common/mask/mask_set.hpp"

#include <set>
#include <string>
#include <utility>
#include <vector>

namespace trebuchet {

/// The names of a folder's entries in an archive: pairs (name on disk, name in the archive), sorted by the name on
/// disk. Masks the names, also secrets that contain a slash. Every result is a valid file name and unique: duplicates
/// of masked names get a number. `parent`: the folder's path in the archive. `counts`: see MaskSet::mask.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> masked_names(std::vector<std::string> names,
                                                                            const std::string& parent,
                                                                            const MaskSet& masks,
                                                                            MaskCounts* counts = nullptr);

/// The name of the note that replaces a file: `archived` (its name in the archive) plus ".withheld.txt", masked, and
/// different from all `taken` names of the same folder.
[[nodiscard]] std::string note_name(const std::string& archived, const std::set<std::string>& taken,
                                    const MaskSet& masks);

/// True if a link in a folder `depth` levels below the top cannot lead out of the top folder, provided that no other
/// link does: a relative target with ".." only at its start, at most `depth` times.
[[nodiscard]] bool stays_inside(const std::string& target, std::size_t depth);

}  // namespace trebuchet
