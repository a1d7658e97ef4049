#pragma once

#include "common/base/result.hpp"
#include "common/mask/mask_set.hpp"
#include "common/record_file/record_file.hpp"
#include "common/secret/secret_string.hpp"

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// What the next start of the agent needs to mask what a job leaves, in memory only: a file on tmpfs, 0600, for as long
/// as the job is in hand. It outlives the agent, but not a reboot.
class RuntimeCopy {
  public:
    /// `secret_base`: this agent's folder on tmpfs. Makes nothing.
    RuntimeCopy(const std::filesystem::path& secret_base, const std::string& job_id);

    /// The ids of the jobs that have one.
    [[nodiscard]] static std::vector<std::string> all(const std::filesystem::path& secret_base);

    /// The whole job as it arrived, and the key of its masks ("" without one).
    [[nodiscard]] Result<void> save(std::string_view document, std::string_view key);
    /// A value that a phase registered.
    void add(std::string_view value);

    struct Content {
        WipedString document;
        SecretString key;
        std::vector<NamedSecret> added;
    };
    /// What a former agent saved; nothing if it is not there or not whole.
    /// Values can be added to it then.
    [[nodiscard]] std::optional<Content> read();

    /// Overwrites and removes it.
    void wipe();

  private:
    std::filesystem::path path_;
    std::optional<RecordFile> file_;
};

/// Overwrites and removes what killed agents left in their folder on tmpfs, but for the copies of the jobs that are to
/// be recovered. Nobody else may run there now.
void wipe_leftover_secrets(const std::filesystem::path& secret_base, const std::set<std::string>& jobs_to_recover);

/// Overwrites a file of ours with zeros and removes it.
void wipe_file(const std::filesystem::path& file);

}  // namespace trebuchet
