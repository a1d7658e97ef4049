#pragma once

#include "agent/config/config.hpp"
#include "agent/job/job.hpp"
#include "agent/job/phase_status.hpp"
#include "common/base/result.hpp"
#include "common/file/remove_tree.hpp"
#include "common/file/safe_file.hpp"
#include "common/process/process.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace trebuchet {

/// The folder (0700) in which a job's phases run, created for each job. Phases write to it, so its content is hostile:
/// we read only regular files, up to a size, without following links. If phases run as another user, the folder belongs
/// to that user from the first phase on, and so do the files that the agent puts there.
class RunFolder {
  public:
    /// `secret_base`: a folder on tmpfs, for the job file with secret values. Calls `before_making` before creating the
    /// folder. Fails, and changes nothing, if something of that name exists: a submitter chooses the job's id, so it
    /// may be any folder in `base`.
    static Result<RunFolder> make(
        const std::filesystem::path& base, const std::filesystem::path& secret_base, const Job& job,
        const std::function<void()>& before_making = [] {}, const std::optional<ProcessUser>& user = std::nullopt);

    /// Opens the folder that this agent created for this job before it was killed, with its content. Creates a new one
    /// if it is gone or was replaced.
    static Result<RunFolder> reopen(const std::filesystem::path& base, const std::filesystem::path& secret_base,
                                    const Job& job, const std::optional<ProcessUser>& user = std::nullopt);
    /// Removes files that must be masked before they are sent: serial logs, artifacts, device info. Folders are set
    /// aside and deleted with the run folder. Returns the names.
    std::vector<std::string> remove_unmasked() const;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

    /// Sets `testflinger.json` to the whole job (as a link to tmpfs), or to the job without its secrets.
    Result<void> show_job(const Job& job, bool with_secrets);
    /// The same with this document, which contains secrets (as a link to tmpfs).
    Result<void> show_secret_job(std::string_view document);
    /// Call this before a phase: gives the folder to the user of the phases, if there is one.
    Result<void> hand_over();
    /// Creates `home` and `tmp` in the folder if they are missing: for HOME and TMPDIR of a phase.
    Result<void> make_homes() const;
    /// Overwrites and removes the job file on tmpfs.
    void hide_secrets();

    /// Warns the submitter if programs cannot be started in the folder. Whole lines; usually "".
    [[nodiscard]] std::string notes() const;

    /// `<phase>.log`, new and empty.
    [[nodiscard]] Result<FileDescriptor> open_phase_log(Phase phase) const;
    /// The phase's capture of the serial console, if it left one.
    [[nodiscard]] std::optional<FileDescriptor> open_serial_log(Phase phase) const;
    void remove_serial_log(Phase phase) const;
    /// The `device_info` object of device-info.json, if a phase wrote it. Not masked yet.
    [[nodiscard]] Result<std::optional<nlohmann::json>> read_device_info() const;
    /// The error in device-connector-error.json for this phase: "Name: message caused by cause", or "". Not masked yet.
    [[nodiscard]] std::string read_connector_error(Phase phase) const;
    /// `artifacts/`, if that is a folder.
    [[nodiscard]] std::optional<std::filesystem::path> artifacts() const;
    [[nodiscard]] Result<void> write_outcome(const PhaseStatus& status) const;

    /// Deletes the folder and the copy on tmpfs. The Error says what could not be deleted: the folder is then set aside
    /// for the next start of the agent. May take long: do not call it on the loop's thread.
    Result<void> remove(const RemoveLimits& limits);

  private:
    RunFolder(std::filesystem::path path, std::filesystem::path secret_path, std::optional<ProcessUser> user)
        : path_(std::move(path)), secret_path_(std::move(secret_path)), user_(std::move(user)) {}

    [[nodiscard]] Result<void> make_ready() const;
    /// Writes a file for the phases.
    [[nodiscard]] Result<void> replace_file(const std::filesystem::path& path, std::string_view text) const;
    [[nodiscard]] Result<void> give(int fd) const;

    std::filesystem::path path_;
    std::filesystem::path secret_path_;  ///< this job's folder on tmpfs
    std::optional<ProcessUser> user_;    ///< the user of the phases, if different from the agent's
};

}  // namespace trebuchet
