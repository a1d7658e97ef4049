#pragma once

#include "agent/import/charm_host.hpp"
#include "common/base/result.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace trebuchet {

/// What an import changes on the host; all paths are the host's.
struct HostChanges {
    std::map<std::filesystem::path, std::string> files;            ///< new files and their text
    std::map<std::filesystem::path, std::string> private_files;    ///< with values that only root may read
    std::map<std::filesystem::path, std::filesystem::path> links;  ///< new links and where they lead
    std::map<std::filesystem::path, std::filesystem::path> renames;
    std::map<std::filesystem::path, std::filesystem::path> copies;  ///< a folder's copy → the folder
    std::vector<std::filesystem::path> adopted;                     ///< folders of results for `adopt-results`
    std::string owner;                                              ///< the user whom copies belong to
    std::vector<std::filesystem::path> folders;  ///< that the import makes for these: filled by make_changes()
};

/// For people: what the import does, what it leaves alone, and what is to be done.
struct ImportPlan {
    HostChanges changes;
    std::vector<std::string> agents;  ///< a line for each
    std::vector<std::string> left;    ///< what stays as it is, and what to do about it
    std::vector<std::string> wrong;   ///< what must be mended first: `--write` refuses
    std::vector<std::string> next;    ///< commands
};

/// trebuchet-supervise.service over the agents' tree: as their user, with their environment, ports and token file.
[[nodiscard]] ImportPlan plan_import(const CharmHost& host);

/// The plan as text.
[[nodiscard]] std::string shown(const ImportPlan& plan);

}  // namespace trebuchet
