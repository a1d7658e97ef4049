#include "agent/daemon/disk_space.hpp"

#include "common/base/system_text.hpp"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <system_error>

#include <sys/statvfs.h>
#include <unistd.h>

namespace trebuchet {

namespace fs = std::filesystem;

Result<DiskSpace> disk_space(const fs::path& folder) {
    fs::path place = folder;
    std::error_code error;
    while (!fs::exists(place, error) && place.has_relative_path()) place = place.parent_path();
    struct statvfs info {};
    if (::statvfs(place.c_str(), &info) != 0 || ::access(place.c_str(), W_OK | X_OK) != 0) {
        return fail(place.string() + " cannot be written to: " + system_text(errno));
    }
    return DiskSpace{std::uint64_t{info.f_bavail} * info.f_frsize,
                     info.f_files == 0 ? std::numeric_limits<std::uint64_t>::max() : std::uint64_t{info.f_favail}};
}

std::uint64_t bytes_below(const fs::path& folder, const std::vector<std::string>& prefixes, std::uint64_t limit) {
    std::uint64_t sum = 0;
    std::error_code error;
    const auto options = fs::directory_options::skip_permission_denied;
    for (fs::recursive_directory_iterator entry(folder, options, error), end; !error && entry != end && sum < limit;
         entry.increment(error)) {
        std::error_code gone;  // files may vanish meanwhile
        if (entry->symlink_status(gone).type() != fs::file_type::regular) continue;
        const auto name = entry->path().filename().string();
        const auto begins_name = [&](const std::string& prefix) { return name.starts_with(prefix); };
        if (std::none_of(prefixes.begin(), prefixes.end(), begins_name)) continue;
        const auto size = entry->file_size(gone);
        if (!gone) sum += size;
    }
    return sum;
}

}  // namespace trebuchet
