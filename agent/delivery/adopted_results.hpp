#pragma once

#include "common/base/result.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace trebuchet {

/// The file with the list, in `results_basedir`.
inline constexpr const char* adopted_list = "trebuchet-adopted";

/// The results of the reference agent that an administrator wants to be delivered: the file `trebuchet-adopted` in
/// `results_basedir`, with lines `JOB_ID FOLDER`. FOLDER (inode and time of birth) distinguishes the adopted folder
/// from one that a job later creates under the same name. The agent trusts this file only if it belongs to root,
/// because every job may write to the folder; if jobs run as another user, it also trusts its own file.
class AdoptedResults {
  public:
    /// Nothing is adopted if there is no file. An Error if a job may have written it.
    [[nodiscard]] static Result<AdoptedResults> read(const std::filesystem::path& results, bool own_files_are_trusted);

    [[nodiscard]] bool has(const std::filesystem::path& folder) const;

    /// Writes the file for all results in the folder, replacing an older one. Returns their job ids.
    [[nodiscard]] static Result<std::vector<std::string>> adopt_all(const std::filesystem::path& results);

  private:
    std::map<std::string, std::string> folders_;  ///< job id → identity of its folder
};

}  // namespace trebuchet
