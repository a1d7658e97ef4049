#include "agent/delivery/adopted_results.hpp"

#include "agent/delivery/job_folder.hpp"
#include "agent/delivery/reference_result.hpp"
#include "common/base/system_text.hpp"
#include "common/file/planted_file.hpp"
#include "common/file/safe_file.hpp"

#include <cerrno>
#include <sstream>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;

constexpr const char* list_file = "trebuchet-adopted";
constexpr std::size_t list_limit = 16U << 20;

/// "" if there is no such folder.
std::string identity_of(const fs::path& folder) {
    struct statx info {};
    const int done =
        ::statx(AT_FDCWD, folder.c_str(), AT_SYMLINK_NOFOLLOW, STATX_TYPE | STATX_INO | STATX_BTIME, &info);
    if (done != 0 || !S_ISDIR(info.stx_mode)) return "";
    auto identity = std::to_string(info.stx_ino);
    if ((info.stx_mask & STATX_BTIME) != 0) {
        identity += "-" + std::to_string(info.stx_btime.tv_sec) + "." + std::to_string(info.stx_btime.tv_nsec);
    }
    return identity;
}

/// Checks the opened file, not the path: a job may replace the file at any time.
Result<void> check_owner(const FileDescriptor& opened, const fs::path& file, bool own_files_are_trusted) {
    struct stat info {};
    if (::fstat(opened.get(), &info) != 0) return fail(file.string() + ": " + system_text(errno));
    const bool is_trusted = info.st_uid == 0 || (own_files_are_trusted && info.st_uid == ::geteuid());
    if (is_trusted && (info.st_mode & (S_IWGRP | S_IWOTH)) == 0 && info.st_nlink == 1) return {};
    return fail(file.string() + " is not used: a job may have written it. Run trebuchet-agent adopt-results as root");
}

}  // namespace

Result<AdoptedResults> AdoptedResults::read(const fs::path& results, bool own_files_are_trusted) {
    const auto file = results / list_file;
    AdoptedResults adopted;
    if (kind_of_file(file).empty()) return adopted;
    const auto opened = open_untrusted(file);
    if (!opened) return fail(opened.error());
    if (auto trusted = check_owner(*opened, file, own_files_are_trusted); !trusted) return fail(trusted.error());
    const auto text = read_file("/proc/self/fd/" + std::to_string(opened->get()), list_limit);
    if (!text) return fail(text.error());
    std::istringstream lines(*text);
    std::string id;
    std::string identity;
    while (lines >> id >> identity) {
        if (is_job_id(id)) adopted.folders_[id] = identity;
    }
    return adopted;
}

bool AdoptedResults::has(const fs::path& folder) const {
    const auto found = folders_.find(folder.filename().string());
    return found != folders_.end() && found->second == identity_of(folder);
}

Result<std::vector<std::string>> AdoptedResults::adopt_all(const fs::path& results) {
    if (!is_folder(results)) return fail(results.string() + " is not a folder");
    std::vector<std::string> ids;
    std::string text;
    for (const auto& id : JobFolder::all(results)) {
        const ReferenceResult result{results / id, {}};
        if (!result.has_job() && !result.has_outcome()) continue;
        ids.push_back(id);
        text += id + " " + identity_of(results / id) + "\n";
    }
    const auto file = results / list_file;
    const auto temporary = fs::path(file).concat(".new");
    ::unlink(temporary.c_str());
    const auto fd = create_new_file(temporary);
    if (!fd) return fail(fd.error());
    if (auto written = write_all(fd->get(), text); !written) return fail(written.error());
    if (::fchmod(fd->get(), 0644) != 0 || ::rename(temporary.c_str(), file.c_str()) != 0) {
        return fail("cannot write " + file.string() + ": " + system_text(errno));
    }
    return ids;
}

}  // namespace trebuchet
