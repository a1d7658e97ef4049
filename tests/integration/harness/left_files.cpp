#include "tests/integration/harness/left_files.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <algorithm>
#include <string>

namespace trebuchet::harness {

namespace fs = std::filesystem;

std::vector<fs::path> everything_in(const fs::path& folder) {
    std::vector<fs::path> found;
    std::error_code error;
    // A file that is deleted meanwhile ends the walk without an error.
    for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        found.push_back(entry->path());
    }
    std::sort(found.begin(), found.end());
    return found;
}

std::vector<fs::path> files_holding(const fs::path& folder, std::string_view text) {
    std::vector<fs::path> found;
    for (const auto& path : everything_in(folder)) {
        std::error_code error;
        const bool in_name = path.filename().string().find(text) != std::string::npos;
        const bool regular = fs::symlink_status(path, error).type() == fs::file_type::regular;
        if (in_name || (regular && text_of(path).find(text) != std::string::npos)) found.push_back(path);
    }
    return found;
}

}  // namespace trebuchet::harness
