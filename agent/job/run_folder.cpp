#include "agent/job/run_folder.hpp"

#include "agent/job/phase_user.hpp"
#include "agent/job/runtime_copy.hpp"
#include "common/base/system_text.hpp"
#include "common/base/text.hpp"
#include "common/log/log.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t device_info_limit = 1U << 20;
constexpr std::size_t connector_error_limit = 1U << 20;
constexpr const char* connector_error_file = "device-connector-error.json";
constexpr std::string_view no_connector_error = "{}";
constexpr int depth_limit = 100;
constexpr const char* job_file = "testflinger.json";

/// Returns "discarded" for text that is not JSON or is nested too deep.
json parse_bounded(const std::string& text) {
    bool too_deep = false;
    auto parsed = json::parse(
        text,
        [&](int depth, json::parse_event_t, json&) {
            too_deep = too_deep || depth > depth_limit;
            return !too_deep;
        },
        false);
    return too_deep ? json(json::value_t::discarded) : parsed;
}

std::string text_of(const json& object, const char* key) {
    const auto entry = object.find(key);
    return entry != object.end() && entry->is_string() ? entry->get<std::string>() : "";
}

bool is_noexec(const fs::path& path) {
    struct statvfs info {};
    return ::statvfs(path.c_str(), &info) == 0 && (info.f_flag & ST_NOEXEC) != 0;
}

bool stands_there(const fs::path& path) {
    struct stat info {};
    return ::lstat(path.c_str(), &info) == 0;
}

/// Removes a folder that a phase left in the place of one of our files: a file cannot be renamed over a folder.
void make_way(const fs::path& path) {
    if (!is_folder(path)) return;
    if (auto done = set_aside(path); !done) log_warning(done.error().message());
}

/// The name that a file has until it is complete, the same as in write_file.
fs::path temporary_name(fs::path path) {
    path += ".new";
    return path;
}

bool is_owned_by(const fs::path& path, uid_t user) {
    struct stat info {};
    return ::lstat(path.c_str(), &info) == 0 && info.st_uid == user;
}

/// Overwrites and removes the job file with secrets in this folder on tmpfs; removes the folder if it is then empty.
void wipe_job_file(const fs::path& folder) {
    wipe_file(folder / job_file);
    ::rmdir(folder.c_str());
}

}  // namespace

Result<RunFolder> RunFolder::make(const fs::path& base, const fs::path& secret_base, const Job& job,
                                  const std::function<void()>& before_making, const std::optional<ProcessUser>& user) {
    if (auto made = make_folder(base); !made) return fail(made.error());
    RunFolder folder(base / job.id, secret_base / job.id, user);
    if (stands_there(folder.path_)) {
        return fail(folder.path_.string() +
                    " already exists, and this agent did not make it for this job: remove it, or submit the job with "
                    "another job_id");
    }
    before_making();
    if (::mkdir(folder.path_.c_str(), 0700) != 0) {
        return fail("cannot make the folder " + folder.path_.string() + ": " + system_text(errno));
    }
    auto ready = folder.show_job(job, false);
    if (ready) ready = folder.write_outcome({});
    // Scripts that run a container mount it: docker makes a folder of root's of what is missing.
    if (ready) ready = folder.replace_file(folder.path_ / connector_error_file, no_connector_error);
    if (ready) return folder;
    static_cast<void>(folder.remove({}));
    return fail(ready.error());
}

Result<RunFolder> RunFolder::reopen(const fs::path& base, const fs::path& secret_base, const Job& job,
                                    const std::optional<ProcessUser>& user) {
    RunFolder folder(base / job.id, secret_base / job.id, user);
    if (!is_folder(folder.path_)) {
        ::unlink(folder.path_.c_str());  // the job has put it there
        return make(
            base, secret_base, job, [] {}, user);
    }
    // A failure is only logged: cleanup runs even on a full disk.
    if (auto shown = folder.show_job(job, false); !shown) log_warning(shown.error().message());
    return folder;
}

void RunFolder::remove_serial_log(Phase phase) const {
    if (auto done = set_aside(path_ / (std::string(name_of(phase)) + "-serial.log")); !done) {
        log_warning(done.error().message());
    }
}

std::vector<std::string> RunFolder::remove_unmasked() const {
    std::vector<std::string> names{"device-info.json", connector_error_file, "artifacts"};
    for (const Phase phase : all_phases) names.push_back(std::string(name_of(phase)) + "-serial.log");
    std::vector<std::string> removed;
    for (const auto& name : names) {
        if (!stands_there(path_ / name)) continue;
        if (name == connector_error_file &&
            read_untrusted(path_ / name, connector_error_limit).value_or("") == no_connector_error) {
            continue;
        }
        if (auto done = set_aside(path_ / name); !done) log_warning(done.error().message());
        removed.push_back(name);
    }
    return removed;
}

Result<void> RunFolder::give(int fd) const {
    if (!user_ || ::fchown(fd, user_->user, user_->group) == 0) return {};
    return fail("cannot give a file to the user of the phases: " + system_text(errno));
}

Result<void> RunFolder::replace_file(const fs::path& path, std::string_view text) const {
    const auto temporary = temporary_name(path);
    make_way(path);
    make_way(temporary);
    ::unlink(temporary.c_str());
    const auto file = create_new_file(temporary);
    if (!file) return fail(file.error());
    auto done = write_all(file->get(), text);
    if (done) done = give(file->get());
    if (!done) return fail(done.error().with_context(temporary.string()));
    if (::rename(temporary.c_str(), path.c_str()) == 0) return {};
    return fail("cannot replace " + path.string() + ": " + system_text(errno));
}

Result<void> RunFolder::make_ready() const {
    // A phase may have removed or replaced the folder in which it ran.
    if (is_folder(path_)) {
        ::chmod(path_.c_str(), 0700);
    } else {
        ::unlink(path_.c_str());
    }
    // The folder belongs to the user of the phases. Only we can have put it there (let_pass).
    if (user_ && is_folder(path_) && is_owned_by(path_, user_->user)) return {};
    return make_private_folder(path_);
}

Result<void> RunFolder::hand_over() {
    if (!user_ || is_owned_by(path_, user_->user)) return {};
    return give_tree(path_, *user_);
}

Result<void> RunFolder::make_homes() const {
    for (const auto* name : {"home", "tmp"}) {
        const auto path = path_ / name;
        if (is_folder(path)) continue;
        ::unlink(path.c_str());
        if (::mkdir(path.c_str(), 0700) != 0) {
            return fail("cannot make the folder " + path.string() + ": " + system_text(errno));
        }
        const FileDescriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
        struct stat info {};
        const bool is_ours = folder && ::fstat(folder.get(), &info) == 0 && info.st_uid == ::geteuid();
        if (!is_ours) return fail(path.string() + " was replaced");
        if (auto given = give(folder.get()); !given) return given;
    }
    return {};
}

Result<void> RunFolder::show_job(const Job& job, bool with_secrets) {
    if (with_secrets) return show_secret_job(job.document);
    if (auto ready = make_ready(); !ready) return ready;
    hide_secrets();
    return replace_file(path_ / job_file, job.public_document);
}

Result<void> RunFolder::show_secret_job(std::string_view document) {
    if (auto ready = make_ready(); !ready) return ready;
    const auto shown = path_ / job_file;
    const auto secret_file = secret_path_ / job_file;
    if (auto made = make_private_folder(secret_path_); !made) return made;
    if (auto written = replace_file(secret_file, document); !written) return written;
    // The content keeps its own permissions.
    if (user_) ::chmod(secret_path_.c_str(), 0711);
    const auto link = temporary_name(shown);
    make_way(shown);
    make_way(link);
    ::unlink(link.c_str());
    if (::symlink(secret_file.c_str(), link.c_str()) != 0 || ::rename(link.c_str(), shown.c_str()) != 0) {
        return fail("cannot link " + shown.string() + ": " + system_text(errno));
    }
    return {};
}

void RunFolder::hide_secrets() {
    wipe_job_file(secret_path_);
}

std::string RunFolder::notes() const {
    if (!is_noexec(path_)) return "";
    return "WARNING: the run folder is on a file system that is mounted noexec: programs and scripts in it cannot be "
           "started directly (Permission denied), only by their interpreter, such as sh SCRIPT\n";
}

Result<FileDescriptor> RunFolder::open_phase_log(Phase phase) const {
    const auto file = path_ / (std::string(name_of(phase)) + ".log");
    make_way(file);
    ::unlink(file.c_str());
    auto log = create_new_file(file);
    if (!log) return log;
    if (auto given = give(log->get()); !given) return fail(given.error());
    return log;
}

std::optional<FileDescriptor> RunFolder::open_serial_log(Phase phase) const {
    const auto file = path_ / (std::string(name_of(phase)) + "-serial.log");
    if (!stands_there(file)) return std::nullopt;
    auto fd = open_untrusted(file);
    if (!fd) {
        log_warning("the serial log is not sent: " + fd.error().message());
        return std::nullopt;
    }
    return std::move(*fd);
}

Result<std::optional<json>> RunFolder::read_device_info() const {
    const auto file = path_ / "device-info.json";
    if (!stands_there(file)) return std::optional<json>();
    const auto text = read_untrusted(file, device_info_limit);
    if (!text) return fail(text.error());
    auto document = parse_bounded(*text);
    if (!document.is_object())
        return fail(file.string() + " is not a JSON object of at most " + std::to_string(depth_limit) + " levels");
    const auto info = document.find("device_info");
    if (info == document.end() || !info->is_object()) return fail(file.string() + " has no object \"device_info\"");
    return std::optional(std::move(*info));
}

std::string RunFolder::read_connector_error(Phase phase) const {
    const auto text = read_untrusted(path_ / connector_error_file, connector_error_limit);
    if (!text) return "";
    const auto document = parse_bounded(*text);
    if (!document.is_object()) return "";
    // Connectors call the test phase "runtest".
    auto info = document.find(std::string(name_of(phase)) + "_exception_info");
    if (info == document.end() && phase == Phase::test) info = document.find("runtest_exception_info");
    if (info == document.end() || !info->is_object()) return "";
    const auto cause = text_of(*info, "exception_cause");
    return text_of(*info, "exception_name") + ": " + text_of(*info, "exception_message") +
           (cause.empty() ? "" : " caused by " + cause);
}

std::optional<fs::path> RunFolder::artifacts() const {
    auto folder = path_ / "artifacts";
    return is_folder(folder) ? std::optional(std::move(folder)) : std::nullopt;
}

Result<void> RunFolder::write_outcome(const PhaseStatus& status) const {
    json outcome = json::object();
    if (!status.empty()) outcome["status"] = status_json(status);
    return replace_file(path_ / "testflinger-outcome.json", outcome.dump());
}

Result<void> RunFolder::remove(const RemoveLimits& limits) {
    hide_secrets();
    static_cast<void>(remove_set_aside(secret_path_.parent_path(), limits));
    auto removed = remove_tree(path_, limits);
    if (!removed) static_cast<void>(set_aside(path_));
    return removed;
}

}  // namespace trebuchet
