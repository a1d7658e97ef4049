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

/// The folder in which a job's phases run, 0700, made anew. Phases wrote what is in it, so it is hostile: only regular
/// files are read, without following links, and up to a size. If phases run as another user it is theirs from the first
/// phase on, and what the agent puts there is theirs, too.
class RunFolder {
  public:
    /// `secret_base`: a folder on tmpfs, for the job file with values in it. Fails, and changes nothing, if something
    /// is there already: a submitter chooses the job's id, so that may be any folder in `base`. `before_making`:
    /// nothing is there.
    static Result<RunFolder> make(
        const std::filesystem::path& base, const std::filesystem::path& secret_base, const Job& job,
        const std::function<void()>& before_making = [] {}, const std::optional<ProcessUser>& user = std::nullopt);

    /// Opens the one that this agent made for this job before it was killed, with its content; makes a new one if it is
    /// gone or something else is in its place.
    static Result<RunFolder> reopen(const std::filesystem::path& base, const std::filesystem::path& secret_base,
                                    const Job& job, const std::optional<ProcessUser>& user = std::nullopt);
    /// Takes away files that must be masked before they are sent: serial logs, artifacts, device info. What is a folder
    /// is deleted with the run folder. Returns their names.
    std::vector<std::string> remove_unmasked() const;

    [[nodiscard]] const std::filesystem::path& path() const { return path_; }

    /// Sets `testflinger.json`: the whole job, by way of a link to tmpfs, or the job without its secrets.
    Result<void> show_job(const Job& job, bool with_secrets);
    /// The same: this document, which has secrets, by way of a link to tmpfs.
    Result<void> show_secret_job(std::string_view document);
    /// Before a phase: gives the folder to the phases' user, if there is one.
    Result<void> hand_over();
    /// `home` and `tmp` in the folder, made if they are missing: for HOME and TMPDIR of a phase.
    Result<void> make_homes() const;
    /// Overwrites and removes the job file on tmpfs.
    void hide_secrets();

    /// What a submitter should know of the folder: that programs can't be started in it. Whole lines; "" mostly.
    [[nodiscard]] std::string notes() const;

    /// `<phase>.log`, new and empty.
    [[nodiscard]] Result<FileDescriptor> open_phase_log(Phase phase) const;
    /// What the phase's command captured of the serial console, if it did.
    [[nodiscard]] std::optional<FileDescriptor> open_serial_log(Phase phase) const;
    void remove_serial_log(Phase phase) const;
    /// The `device_info` object of device-info.json, if a phase wrote it. Not masked yet.
    [[nodiscard]] Result<std::optional<nlohmann::json>> read_device_info() const;
    /// What device-connector-error.json says of the phase: "Name: message caused by cause", or "". Not masked yet.
    [[nodiscard]] std::string read_connector_error(Phase phase) const;
    /// `artifacts/`, if it is a folder.
    [[nodiscard]] std::optional<std::filesystem::path> artifacts() const;
    [[nodiscard]] Result<void> write_outcome(const PhaseStatus& status) const;

    /// Deletes it, the copy on tmpfs included; the Error says what could not be deleted: that is set aside, for the
    /// next start of the agent. Takes its time: not for the loop's thread.
    Result<void> remove(const RemoveLimits& limits);

  private:
    RunFolder(std::filesystem::path path, std::filesystem::path secret_path, std::optional<ProcessUser> user)
        : path_(std::move(path)), secret_path_(std::move(secret_path)), user_(std::move(user)) {}

    [[nodiscard]] Result<void> make_ready() const;
    /// In the folder: a file for the phases.
    [[nodiscard]] Result<void> replace_file(const std::filesystem::path& path, std::string_view text) const;
    [[nodiscard]] Result<void> give(int fd) const;

    std::filesystem::path path_;
    std::filesystem::path secret_path_;  ///< this job's folder on tmpfs
    std::optional<ProcessUser> user_;    ///< of the phases, if it is not the agent's
};

}  // namespace trebuchet
