#include "provision/image/disk_guard.hpp"

#include "common/base/text.hpp"

#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <system_error>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;

std::string first_line(const fs::path& file) {
    std::ifstream stream(file);
    std::string line;
    std::getline(stream, line);
    return line;
}

/// A disk and its partitions: "major:minor" → folder in /sys.
using Parts = std::map<std::string, fs::path>;

void add(const fs::path& device, Parts& parts) {
    if (auto number = first_line(device / "dev"); !number.empty()) parts[number] = device;
}

Parts parts_of(const fs::path& device, bool with_partitions) {
    Parts parts;
    add(device, parts);
    std::error_code error;
    if (!with_partitions) return parts;
    for (const auto& entry : fs::directory_iterator(device, error)) {
        if (fs::exists(entry.path() / "partition", error)) add(entry.path(), parts);
    }
    return parts;
}

/// "major:minor" → mount point.
std::map<std::string, std::string> mounts(const fs::path& proc) {
    std::map<std::string, std::string> found;
    std::ifstream stream(proc / "self/mountinfo");
    std::string line;
    while (std::getline(stream, line)) {
        std::istringstream words(line);
        std::string id;
        std::string parent;
        std::string number;
        std::string root;
        std::string place;
        words >> id >> parent >> number >> root >> place;
        found.emplace(number, place);
    }
    return found;
}

/// Swap devices, without "/dev/".
std::set<std::string> swaps(const fs::path& proc) {
    std::set<std::string> found;
    std::ifstream stream(proc / "swaps");
    std::string line;
    while (std::getline(stream, line)) {
        const fs::path device(line.substr(0, line.find_first_of(" \t")));
        if (device.is_absolute()) found.insert(device.filename().string());
    }
    return found;
}

}  // namespace

Result<void> check_disk_is_unused(unsigned int major, unsigned int minor, const KernelFiles& files) {
    const auto number = std::to_string(major) + ":" + std::to_string(minor);
    std::error_code error;
    const auto device = fs::canonical(files.sys / "dev/block" / number, error);
    if (error) return fail("cannot find the block device " + number + " in " + files.sys.string());
    auto parts = parts_of(device, true);
    // For a disk, check its partitions; for a partition, check the whole disk.
    if (fs::exists(device / "partition", error)) parts.merge(parts_of(device.parent_path(), false));

    const auto mounted = mounts(files.proc);
    const auto swap = swaps(files.proc);
    for (const auto& [part, folder] : parts) {
        const auto name = folder.filename().string();
        if (const auto mount = mounted.find(part); mount != mounted.end()) {
            return fail("/dev/" + name + " is mounted on " + trebuchet::quoted(mount->second) +
                        ": not writing to a disk in use");
        }
        if (swap.count(name) != 0) return fail("/dev/" + name + " is swap: not writing to a disk in use");
        for (const auto& holder : fs::directory_iterator(folder / "holders", error)) {
            return fail("/dev/" + name + " is held by " + holder.path().filename().string() +
                        ": not writing to a disk in use");
        }
    }
    return {};
}

}  // namespace trebuchet
