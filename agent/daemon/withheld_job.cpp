#include "agent/daemon/withheld_job.hpp"

#include "common/file/safe_file.hpp"
#include "common/log/log.hpp"
#include "common/mask/masked_json.hpp"

#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t file_limit = std::uint64_t{256} << 20U;
constexpr LiteralText notice(
    "The lab keeps the output of this job to itself, because no grant of its secrets allows the job.\n");
constexpr LiteralText comment_text(
    "Set to offline by agent. The device may not be usable: see the agent's log on its host.");

}  // namespace

std::string withheld_comment() {
    return std::string(comment_text.text());
}

WithheldJob::WithheldJob(JobListener& listener, JobControl& control, LogSink& log, fs::path folder)
    : listener_(listener), control_(control), log_(log), folder_(std::move(folder)) {
    if (auto made = make_private_folder(folder_); !made) log_warning(made.error().message());
}

fs::path WithheldJob::all(const fs::path& state_base) {
    return state_base / "withheld";
}

fs::path WithheldJob::folder_of(const fs::path& state_base, const std::string& job_id) {
    return all(state_base) / job_id;
}

void WithheldJob::remove_old(const fs::path& state_base, std::chrono::hours keep) {
    std::error_code error;
    const auto limit = fs::file_time_type::clock::now() - keep;
    for (fs::directory_iterator entry(all(state_base), error), end; !error && entry != end; entry.increment(error)) {
        std::error_code of_entry;
        const auto time = fs::last_write_time(entry->path(), of_entry);
        if (of_entry || time >= limit) continue;
        if (auto removed = remove_tree(entry->path()); !removed) log_warning(removed.error().message());
    }
}

void WithheldJob::keep(const std::string& name, std::string_view text) {
    const FileDescriptor file(
        ::open((folder_ / name).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600));
    struct stat info {};
    const bool is_full =
        file && ::fstat(file.get(), &info) == 0 && static_cast<std::uint64_t>(info.st_size) + text.size() > file_limit;
    if (is_full) return;
    const auto kept = file ? write_all(file.get(), text) : fail("cannot open " + (folder_ / name).string());
    if (kept || std::exchange(told_of_disk_, true)) return;
    log_warning("the output that is withheld is not kept completely: " + kept.error().message());
}

void WithheldJob::output(Phase phase, const MaskedChunk& text) {
    if (told_.insert(phase).second) log_.output(phase, MaskedChunk::literal(notice));
    keep(std::string(name_of(phase)) + ".log", text.bytes());
}

void WithheldJob::serial(Phase phase, const MaskedChunk& text) {
    keep(std::string(name_of(phase)) + "-serial.log", text.bytes());
}

void WithheldJob::device_info(const MaskedJson& info) {
    keep("device-info.json", info.value().dump() + "\n");
}

void WithheldJob::event(std::string_view name, const MaskedChunk& /*detail*/) {
    listener_.event(name, {});
}

void WithheldJob::provision_log(int exit_code, const MaskedChunk& /*detail*/) {
    listener_.provision_log(exit_code, {});
}

void WithheldJob::device_in_doubt(const MaskedChunk& comment) {
    keep("device-in-doubt.txt", std::string(comment.bytes()) + "\n");
    log_error("the device is in doubt; why is withheld from the server: see " +
              (folder_ / "device-in-doubt.txt").string());
    listener_.device_in_doubt(MaskedChunk::literal(comment_text));
}

}  // namespace trebuchet
