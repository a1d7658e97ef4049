#pragma once

#include "agent/import/import_plan.hpp"
#include "common/base/result.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace trebuchet {

/// Where an import writes what it made, for its undo.
inline constexpr const char* import_record = "/var/lib/trebuchet/import.json";

/// Makes the changes, after it wrote them to import_record. Fails without a change if something is in their place, or
/// if an import was made before; after another failure undo_changes() takes back what was made. `root`: "/", or where
/// the host's file system is.
[[nodiscard]] Result<void> make_changes(const HostChanges& changes, const std::filesystem::path& root);

/// Takes back exactly what make_changes() made. Returns what it did, for people. Fails without a change if somebody has
/// changed it since, while the service runs, or if the only copy of a result would go, unless `force`.
[[nodiscard]] Result<std::vector<std::string>> undo_changes(const std::filesystem::path& root, bool force);

}  // namespace trebuchet
