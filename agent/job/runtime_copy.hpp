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

/// The secrets that the agent's next start needs to mask what a job left: a file (0600) on tmpfs that exists while the
/// job runs. It survives the agent, but not a reboot.
class RuntimeCopy {
  public:
    /// `secret_base`: this agent's folder on tmpfs. Creates nothing yet.
    RuntimeCopy(const std::filesystem::path& secret_base, const std::string& job_id);

    /// The ids of the jobs that have a copy.
    [[nodiscard]] static std::vector<std::string> all(const std::filesystem::path& secret_base);

    /// Saves the whole job as it arrived, and the key of its masks ("": none).
    [[nodiscard]] Result<void> save(std::string_view document, std::string_view key);
    /// Adds a value that a phase registered.
    void add(std::string_view value);

    /// Records that the run folder is about to be created.
    void note_run_folder();

    struct Content {
        WipedString document;
        SecretString key;
        std::vector<NamedSecret> added;
        bool has_run_folder = false;
    };
    /// What an earlier agent saved; nullopt if it is missing or incomplete. Afterwards add() appends to it.
    [[nodiscard]] std::optional<Content> read();

    /// Overwrites and removes the copy.
    void wipe();

  private:
    std::filesystem::path path_;
    std::optional<RecordFile> file_;
};

/// Overwrites and removes what killed agents left in this folder on tmpfs, except the copies of the jobs to recover.
/// Only this agent may use the folder.
void wipe_leftover_secrets(const std::filesystem::path& secret_base, const std::set<std::string>& jobs_to_recover);

/// Overwrites a file of ours with zeros and removes it.
void wipe_file(const std::filesystem::path& file);

}  // namespace trebuchet
