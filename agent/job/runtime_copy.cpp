#include "agent/job/runtime_copy.hpp"

#include "common/file/planted_file.hpp"
#include "common/file/safe_file.hpp"
#include "common/log/log.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;

constexpr const char* copy_file = "recovery";

// The first byte of a record.
constexpr std::string_view document_mark = "D";
constexpr std::string_view key_mark = "K";
constexpr std::string_view value_mark = "A";
constexpr std::string_view run_folder_mark = "F";

/// Removes a job's folder that contains more than files, because somebody planted something.
void clear_away(const fs::path& folder) {
    if (auto removed = remove_tree(folder); !removed) log_warning(removed.error().message());
}

}  // namespace

RuntimeCopy::RuntimeCopy(const fs::path& secret_base, const std::string& job_id)
    : path_(secret_base / job_id / copy_file) {}

std::vector<std::string> RuntimeCopy::all(const fs::path& secret_base) {
    std::vector<std::string> ids;
    std::error_code error;
    for (fs::directory_iterator entry(secret_base, error), end; !error && entry != end; entry.increment(error)) {
        if (!is_folder(entry->path())) continue;
        restore_access(entry->path());
        if (kind_of_file(entry->path() / copy_file) == "a file") ids.push_back(entry->path().filename().string());
    }
    return ids;
}

Result<void> RuntimeCopy::save(std::string_view document, std::string_view key) {
    // A previous job may have planted something there.
    if (!is_folder(path_.parent_path())) ::unlink(path_.parent_path().c_str());
    if (auto made = make_private_folder(path_.parent_path()); !made) return made;
    wipe_file(path_);
    auto file = RecordFile::open(path_, [](std::string_view) { return true; });
    if (!file) return fail(file.error());
    file_ = std::move(*file);
    // Write the document last: with it, the copy is complete.
    auto written = key.empty() ? Result<void>() : file_->append(key_mark, key);
    return written ? file_->append(document_mark, document) : written;
}

void RuntimeCopy::add(std::string_view value) {
    if (!file_) return;
    if (auto written = file_->append(value_mark, value); !written) {
        log_warning("a value that a phase registered would not be masked after a crash: " + written.error().message());
    }
}

void RuntimeCopy::note_run_folder() {
    if (!file_) return;
    if (auto written = file_->append(run_folder_mark); !written) log_warning(written.error().message());
}

std::optional<RuntimeCopy::Content> RuntimeCopy::read() {
    restore_access(path_);
    if (!open_untrusted(path_)) return std::nullopt;
    Content content;
    auto file = RecordFile::open(path_, [&](std::string_view record) {
        const auto mark = record.substr(0, 1);
        const auto payload = record.substr(1);
        if (mark == document_mark) content.document = payload;
        if (mark == run_folder_mark) content.has_run_folder = true;
        if (mark == key_mark) content.key = SecretString(payload);
        if (mark == value_mark) {
            const auto name = "added value " + std::to_string(content.added.size() + 1);
            content.added.push_back({name, SecretString(payload)});
        }
        return true;
    });
    if (!file || !file->problem().empty() || content.document.empty()) return std::nullopt;
    file_ = std::move(*file);
    return content;
}

void RuntimeCopy::wipe() {
    file_.reset();
    wipe_file(path_);
    if (::rmdir(path_.parent_path().c_str()) != 0) clear_away(path_.parent_path());
}

void wipe_leftover_secrets(const fs::path& secret_base, const std::set<std::string>& jobs_to_recover) {
    std::error_code error;
    for (fs::directory_iterator entry(secret_base, error), end; !error && entry != end; entry.increment(error)) {
        if (!is_folder(entry->path())) continue;
        restore_access(entry->path());
        const bool is_needed = jobs_to_recover.contains(entry->path().filename().string());
        std::error_code inner;
        for (fs::directory_iterator file(entry->path(), inner), last; !inner && file != last; file.increment(inner)) {
            if (is_needed && file->path().filename() == copy_file) continue;
            log_warning("wiping " + file->path().string() + ", which a killed agent left");
            restore_access(file->path());
            wipe_file(file->path());
        }
        if (::rmdir(entry->path().c_str()) != 0 && !is_needed) clear_away(entry->path());
    }
}

void wipe_file(const fs::path& path) {
    const FileDescriptor fd(::open(path.c_str(), O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    struct stat info {};
    if (fd && ::fstat(fd.get(), &info) == 0 && S_ISREG(info.st_mode)) {
        const std::string zeros(65536, '\0');
        for (off_t left = info.st_size; left > 0; left -= static_cast<off_t>(zeros.size())) {
            const auto size = std::min(left, static_cast<off_t>(zeros.size()));
            if (write_all(fd.get(), std::string_view(zeros).substr(0, static_cast<std::size_t>(size)))) continue;
            log_warning("cannot overwrite " + path.string());
            break;
        }
    }
    ::unlink(path.c_str());
}

}  // namespace trebuchet
