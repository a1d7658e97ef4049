#pragma once

#include "common/base/result.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace trebuchet {

/// The results of the reference agent that an administrator wants to be delivered: the file `trebuchet-adopted` in
/// `results_basedir`, a line `JOB_ID FOLDER` each. FOLDER tells the folder that was there (inode and time of birth)
/// from one that a job makes later under the same name. The agent accepts the file from root only, as every job may
/// write to the folder; where jobs run as another user, also from its own.
class AdoptedResults {
  public:
    /// Nothing is adopted if there is no file. An Error if it may be a job's.
    [[nodiscard]] static Result<AdoptedResults> read(const std::filesystem::path& results, bool own_files_are_trusted);

    [[nodiscard]] bool has(const std::filesystem::path& folder) const;

    /// Writes the file for all results in the folder, in place of an older one, and returns their job ids.
    [[nodiscard]] static Result<std::vector<std::string>> adopt_all(const std::filesystem::path& results);

  private:
    std::map<std::string, std::string> folders_;  ///< job id → its folder's identity
};

}  // namespace trebuchet
