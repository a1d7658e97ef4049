#include "tests/integration/harness/temporary_folder.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>

#include <stdlib.h>

namespace trebuchet::harness {
namespace {

namespace fs = std::filesystem;

}  // namespace

TemporaryFolder::TemporaryFolder(Place place) {
    const fs::path parent = place == Place::memory ? fs::path("/dev/shm") : fs::temp_directory_path();
    auto name = (parent / "trebuchet-integration-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("can't make a folder like " + name);
    path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code error;
    fs::remove_all(path_, error);
}

fs::path TemporaryFolder::write(const fs::path& name, std::string_view bytes) const {
    const auto file = path_ / name;
    fs::create_directories(file.parent_path());
    std::ofstream out(file, std::ios::binary);
    if (!(out << bytes << std::flush)) throw std::runtime_error("can't write " + file.string());
    return file;
}

std::string bytes_of(const fs::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::vector<fs::path> everything_in(const fs::path& folder) {
    std::vector<fs::path> found;
    std::error_code error;
    // What is looked at may be deleted meanwhile: that ends the walk, and is no error.
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
        if (in_name || (regular && bytes_of(path).find(text) != std::string::npos)) found.push_back(path);
    }
    return found;
}

}  // namespace trebuchet::harness
