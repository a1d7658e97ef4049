#include "agent/delivery/adopted_results.hpp"

#include "agent/delivery/job_folder.hpp"
#include "agent/delivery/reference_result.hpp"
#include "common/file/planted_file.hpp"
#include "common/file/safe_file.hpp"
#include "common/file/trusted_file.hpp"

#include <sstream>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;

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

}  // namespace

Result<AdoptedResults> AdoptedResults::read(const fs::path& results, bool own_files_are_trusted) {
    const auto file = results / adopted_list;
    AdoptedResults adopted;
    if (kind_of_file(file).empty()) return adopted;
    const auto text = read_trusted(file, list_limit, own_files_are_trusted);
    if (!text) return fail(text.error().message() + ". Run trebuchet-agent adopt-results as root");
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
    const auto file = results / adopted_list;
    if (auto written = write_trusted(file, text); !written) return fail(written.error());
    return ids;
}

}  // namespace trebuchet
