#include "tests/integration/limits/process_memory.hpp"

#include "common/base/text.hpp"
#include "common/file/safe_file.hpp"

#include <algorithm>
#include <array>
#include <bitset>
#include <cstring>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <unordered_set>

#include <fcntl.h>
#include <unistd.h>

namespace trebuchet::harness {
namespace {

struct Region {
    std::uintptr_t start = 0;
    std::uintptr_t end = 0;
    std::string name;
    bool readable = false;
    bool locked = false;
    bool hidden = false;
};

std::vector<Region> regions_of(pid_t pid) {
    std::ifstream smaps("/proc/" + std::to_string(pid) + "/smaps");
    if (!smaps) throw std::runtime_error("cannot read /proc/PID/smaps");
    std::vector<Region> regions;
    for (std::string line; std::getline(smaps, line);) {
        std::istringstream words(line);
        Region region;
        char dash = 0;
        std::string access;
        std::string ignored;
        if (words >> std::hex >> region.start >> dash >> region.end >> access && dash == '-') {
            words >> ignored >> ignored >> ignored >> region.name;
            region.readable = access.front() == 'r';
            regions.push_back(region);
        } else if (line.starts_with("VmFlags:") && !regions.empty()) {
            line += ' ';
            regions.back().locked = line.find(" lo ") != std::string::npos;
            regions.back().hidden = line.find(" dd ") != std::string::npos;
        }
    }
    return regions;
}

class Pieces {
  public:
    explicit Pieces(const std::vector<std::string>& values) : values_(values) {
        for (const std::string_view value : values_) {
            for (std::size_t i = 0; i + piece_size <= value.size(); ++i) {
                pieces_.insert(value.substr(i, piece_size));
                starts_.set(start_of(value.data() + i));
            }
        }
    }
    [[nodiscard]] bool holds(const char* bytes) const {
        return starts_.test(start_of(bytes)) && pieces_.contains(std::string_view(bytes, piece_size));
    }

  private:
    static std::size_t start_of(const char* bytes) {
        std::uint16_t start = 0;
        std::memcpy(&start, bytes, sizeof start);
        return start;
    }
    const std::vector<std::string>& values_;
    std::unordered_set<std::string_view> pieces_;
    std::bitset<65536> starts_;
};

void search(const Region& region, int memory, const Pieces& pieces, std::vector<FoundPiece>& found) {
    constexpr std::size_t step = std::size_t{1} << 20U;
    std::vector<char> bytes(step + piece_size);
    for (auto start = region.start; start < region.end; start += step) {
        const auto wanted = std::min<std::size_t>(region.end - start, bytes.size());
        const auto count = ::pread(memory, bytes.data(), wanted, static_cast<off_t>(start));
        if (count < static_cast<ssize_t>(piece_size)) continue;
        const auto end = static_cast<std::size_t>(count);
        std::size_t last = end;
        for (std::size_t i = 0; i + piece_size <= end && i < step; ++i) {
            if (!pieces.holds(bytes.data() + i)) continue;
            if (std::exchange(last, i) + 1 == i) continue;
            found.push_back({start + i, region.name, region.locked, region.hidden,
                             std::string(bytes.data() + i, std::min<std::size_t>(end - i, 64))});
        }
    }
}

}  // namespace

std::string FoundPiece::text() const {
    std::ostringstream text;
    text << std::hex << address << " in " << (region.empty() ? "anonymous memory" : region)
         << (locked ? "" : ", not locked") << (hidden ? "" : ", dumpable") << ": " << quoted(std::string_view(bytes));
    return text.str();
}

std::vector<FoundPiece> pieces_in_memory(pid_t pid, const std::vector<std::string>& values) {
    const FileDescriptor memory(::open(("/proc/" + std::to_string(pid) + "/mem").c_str(), O_RDONLY | O_CLOEXEC));
    if (!memory) throw std::runtime_error("cannot open /proc/PID/mem (only root can)");
    const Pieces pieces(values);
    std::vector<FoundPiece> found;
    for (const auto& region : regions_of(pid)) {
        if (region.readable && !region.name.starts_with("[v")) search(region, memory.get(), pieces, found);
    }
    return found;
}

}  // namespace trebuchet::harness
