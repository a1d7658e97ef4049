#include "common/process/cgroup.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <set>
#include <sstream>
#include <system_error>
#include <utility>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t proc_limit = std::size_t{1} << 20;
/// Bounds for reading: a job of our user can create groups below its own.
constexpr int most_levels = 32;
constexpr int most_groups = 10'000;
/// JOB, JOB.1, …: how many names make() tries.
constexpr int most_names = 10;
constexpr std::size_t groups_to_make_way = 100;
/// Processes may start while others are being moved, so moving is repeated.
constexpr int most_moves = 20;
/// This program moves to this group when it enables controllers. systemd's DelegateSubgroup= may also name it.
constexpr const char* leaf = "trebuchet-agent";

std::string reason() {
    return std::system_category().message(errno);
}

std::string read_at(int folder, const char* name) {
    const FileDescriptor file(::openat(folder, name, O_RDONLY | O_CLOEXEC));
    std::array<char, 4096> text{};
    const auto length = file ? ::read(file.get(), text.data(), text.size()) : -1;
    return length > 0 ? std::string(text.data(), static_cast<std::size_t>(length)) : "";
}

/// `name`: relative to the folder, or absolute.
bool write_at(int folder, const fs::path& name, std::string_view text) {
    const FileDescriptor file(::openat(folder, name.c_str(), O_WRONLY | O_CLOEXEC));
    return file && ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

/// The number after `key` at the start of a line.
std::optional<std::uint64_t> value_of(const std::string& text, const std::string& key) {
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(key + " ")) return std::strtoull(line.c_str() + key.size() + 1, nullptr, 10);
    }
    return std::nullopt;
}

/// mountinfo escapes blanks and some other characters as a backslash and three octal digits.
std::string unescape(const std::string& text) {
    std::string plain;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '\\' && at + 3 < text.size()) {
            plain += static_cast<char>(std::strtol(text.substr(at + 1, 3).c_str(), nullptr, 8));
            at += 3;
        } else {
            plain += text[at];
        }
    }
    return plain;
}

bool is_ours(const fs::path& group) {
    return ::access(group.c_str(), W_OK) == 0 && ::access((group / "cgroup.procs").c_str(), W_OK) == 0;
}

/// The parent of the groups that we create: this program's own group, or its parent if this program is in `leaf`.
/// Determined once, at the first call, because this program may be moved later.
const fs::path& base_folder() {
    static const fs::path base = [] {
        const auto cgroup = read_file("/proc/self/cgroup", proc_limit).value_or("");
        const auto mounts = read_file("/proc/self/mountinfo", proc_limit).value_or("");
        auto folder = cgroup_folder(cgroup, mounts);
        if (folder.filename() == leaf && is_ours(folder.parent_path())) folder = folder.parent_path();
        return !folder.empty() && is_ours(folder) ? folder : fs::path();
    }();
    return base;
}

FileDescriptor open_folder(int parent, const char* name) {
    return FileDescriptor(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

/// Calls `take` with the name of each group in a folder until it returns false.
template <typename Take>
void for_each_in(int folder, const Take& take) {
    DIR* const entries = ::fdopendir(open_folder(folder, ".").release());
    if (entries == nullptr) return;
    while (const dirent* entry = ::readdir(entries)) {  // NOLINT(concurrency-mt-unsafe)
        const std::string_view name(entry->d_name);
        if (entry->d_type == DT_DIR && name != "." && name != ".." && !take(entry->d_name)) break;
    }
    ::closedir(entries);
}

void add_processes(int folder, int levels, int& left, std::vector<pid_t>& pids) {
    std::istringstream numbers(read_at(folder, "cgroup.procs"));
    for (pid_t pid = 0; numbers >> pid;) {
        if (pid > 0) pids.push_back(pid);
    }
    for_each_in(folder, [&](const char* name) {
        if (levels <= 0 || --left < 0) return false;
        if (const auto below = open_folder(folder, name)) add_processes(below.get(), levels - 1, left, pids);
        return true;
    });
}

/// "JOB" for "JOB" and "JOB.1"; the name of a job contains no dot.
std::string job_of(const std::string& name) {
    return name.substr(0, name.find('.'));
}

std::string numbered(const std::string& job, int number) {
    return number == 0 ? job : job + "." + std::to_string(number);
}

std::vector<std::string> controllers_for(const CgroupLimits& limits) {
    std::vector<std::string> names;
    if (limits.memory > 0) names.emplace_back("memory");
    if (limits.pids > 0) names.emplace_back("pids");
    return names;
}

std::set<std::string> words_in(const fs::path& file) {
    std::istringstream text(read_file(file, proc_limit).value_or(""));
    std::set<std::string> words;
    for (std::string word; text >> word;) words.insert(word);
    return words;
}

void move_processes(const fs::path& from, const fs::path& to) {
    for (const auto& pid : words_in(from / "cgroup.procs")) write_at(AT_FDCWD, to / "cgroup.procs", pid);
}

}  // namespace

fs::path cgroup_folder(std::string_view cgroup, std::string_view mountinfo) {
    std::string own;
    std::istringstream groups{std::string(cgroup)};
    for (std::string line; std::getline(groups, line);) {
        if (line.starts_with("0::/")) own = line.substr(3);
    }
    if (own.empty() || own.find("/..") != std::string::npos) return {};
    std::istringstream mounts{std::string(mountinfo)};
    for (std::string line; std::getline(mounts, line);) {
        const auto separator = line.find(" - ");
        if (separator == std::string::npos || !line.substr(separator + 3).starts_with("cgroup2 ")) continue;
        std::istringstream fields(line);
        std::string ignored;
        std::string root;
        std::string place;
        fields >> ignored >> ignored >> ignored >> root >> place;
        root = root == "/" ? "" : unescape(root);
        if (own != root && !own.starts_with(root + "/")) continue;
        const auto below = own.substr(root.size());
        return fs::path(unescape(place) + (below == "/" ? "" : below));
    }
    return {};
}

std::vector<std::string> missing_controllers(const fs::path& group, const CgroupLimits& limits) {
    const auto has = words_in(group / "cgroup.controllers");
    auto missing = controllers_for(limits);
    std::erase_if(missing, [&](const auto& name) { return has.contains(name); });
    return missing;
}

std::vector<std::string> missing_controllers(const CgroupLimits& limits) {
    return missing_controllers(base_folder(), limits);
}

Result<void> enable_controllers(const fs::path& group, const CgroupLimits& limits) {
    if (const auto missing = missing_controllers(group, limits); !missing.empty()) {
        return fail("the cgroup " + group.string() + " has no controller " + missing.front());
    }
    const auto enabled = words_in(group / "cgroup.subtree_control");
    std::string wanted;
    for (const auto& name : controllers_for(limits)) {
        if (!enabled.contains(name)) wanted += (wanted.empty() ? "+" : " +") + name;
    }
    if (wanted.empty()) return {};
    const auto enable = [&] { return write_at(AT_FDCWD, group / "cgroup.subtree_control", wanted); };
    if (enable()) return {};
    if (::mkdir((group / leaf).c_str(), 0755) != 0 && errno != EEXIST) {
        return fail("cannot make the cgroup " + (group / leaf).string() + ": " + reason());
    }
    for (int moves = 0; moves < most_moves; ++moves) {
        move_processes(group, group / leaf);
        if (enable()) return {};
    }
    return fail("cannot enable controllers in the cgroup " + group.string() + ": " + reason());
}

Result<void> write_limits(const fs::path& group, const CgroupLimits& limits) {
    const auto write_limit = [&](const char* file, std::uint64_t limit) {
        return limit == 0 || write_at(AT_FDCWD, group / file, std::to_string(limit));
    };
    if (write_limit("memory.max", limits.memory) && write_limit("pids.max", limits.pids)) {
        // Without this, the job would swap. The file is missing if the kernel has no swap accounting.
        if (limits.memory > 0) write_at(AT_FDCWD, group / "memory.swap.max", "0");
        return {};
    }
    return fail("cannot set the limits of the cgroup " + group.string() + ": " + reason());
}

LimitEvents read_limit_events(const fs::path& group) {
    const auto read = [&](const char* file, const char* key) {
        return value_of(read_file(group / file, proc_limit).value_or(""), key).value_or(0);
    };
    return {read("memory.events", "oom_kill"), read("pids.events", "max")};
}

bool Cgroup::is_available() {
    return !base_folder().empty() && is_ours(base_folder());
}

Result<void> Cgroup::enable_limits(const CgroupLimits& limits) {
    if (!is_available()) return fail("cannot create a cgroup here");
    return enable_controllers(base_folder(), limits);
}

std::optional<Cgroup> Cgroup::open(const fs::path& path) {
    auto folder = open_folder(AT_FDCWD, path.c_str());
    if (!folder) return std::nullopt;
    return Cgroup(path, std::move(folder));
}

/// A group below a threaded group accepts no processes. Kernels before 5.14 have no cgroup.kill.
bool Cgroup::is_usable() const {
    const auto type = read_at(folder(), "cgroup.type");
    return (type.empty() || type == "domain\n") && ::faccessat(folder(), "cgroup.kill", W_OK, 0) == 0;
}

Result<Cgroup> Cgroup::make_new(const fs::path& path) {
    const auto above = path.parent_path();
    const auto failed = [&](const std::string& why) {
        ::rmdir(above.c_str());  // fails unless it is empty
        return fail("cannot make the cgroup " + path.string() + ": " + why);
    };
    if (::mkdir(above.c_str(), 0755) != 0 && errno != EEXIST) return failed(reason());
    if (::mkdir(path.c_str(), 0755) != 0) {
        if (errno != EEXIST) return failed(reason());
        auto former = open(path);
        if (former) former->kill();
        if (former && former->remove_some(groups_to_make_way) != Removal::done) return failed(former->problem_);
        // Removing the last phase has also removed the job's group.
        ::mkdir(above.c_str(), 0755);
        if (::mkdir(path.c_str(), 0755) != 0) return failed(reason());
    }
    auto made = open(path);
    if (!made) return failed(reason());
    made->thaw();
    if (made->is_usable()) return std::move(*made);
    made->remove_some(1);
    return failed("it accepts no processes, or the kernel is older than 5.14");
}

Result<Cgroup> Cgroup::make(const std::string& name) {
    if (!is_available()) return fail("cannot create a cgroup here");
    const auto slash = name.find('/');
    const auto job = name.substr(0, slash);
    Result<Cgroup> made = fail("");
    for (int number = 0; number < most_names && !made; ++number) {
        made = make_new(base_folder() / numbered(job, number) / name.substr(slash + 1));
    }
    return made;
}

bool Cgroup::is_own() {
    return is_available() && words_in(base_folder() / "cgroup.procs") == std::set{std::to_string(::getpid())};
}

Result<Cgroup> Cgroup::make_for_instance(const std::string& name) {
    if (!is_available()) return fail("cannot create a cgroup here");
    const auto path = base_folder() / name / leaf;
    for (const auto& folder : {path.parent_path(), path}) {
        if (::mkdir(folder.c_str(), 0755) != 0 && errno != EEXIST) {
            return fail("cannot make the cgroup " + folder.string() + ": " + reason());
        }
    }
    auto made = open(path);
    if (!made) return fail("cannot open the cgroup " + path.string() + ": " + reason());
    if (made->is_usable()) return std::move(*made);
    return fail("the cgroup " + path.string() + " accepts no processes, or the kernel is older than 5.14");
}

std::vector<Cgroup> Cgroup::find(const std::string& job) {
    std::vector<Cgroup> found;
    if (!is_available()) return found;
    for (int number = 0; number < most_names; ++number) {
        if (auto group = open(base_folder() / numbered(job, number))) found.push_back(std::move(*group));
    }
    return found;
}

std::vector<std::string> Cgroup::jobs(const std::string& prefix) {
    std::set<std::string> names;
    if (const auto base = open_folder(AT_FDCWD, base_folder().c_str())) {
        for_each_in(base.get(), [&](const std::string& name) {
            if (name.starts_with(prefix)) names.insert(job_of(name));
            return true;
        });
    }
    return {names.begin(), names.end()};
}

Result<void> Cgroup::limit(const CgroupLimits& limits) const {
    return write_limits(path_.parent_path(), limits);
}

LimitEvents Cgroup::limit_events() const {
    return read_limit_events(path_.parent_path());
}

void Cgroup::kill() const {
    write_at(folder(), "cgroup.kill", "1");
}

bool Cgroup::thaw() const {
    if (value_of(read_at(folder(), "cgroup.events"), "frozen").value_or(0) == 0) return false;
    write_at(folder(), "cgroup.freeze", "0");
    write_at(folder(), "../cgroup.freeze", "0");
    return true;
}

std::vector<pid_t> Cgroup::processes() const {
    std::vector<pid_t> pids;
    int left = most_groups;
    add_processes(folder(), most_levels, left, pids);
    return pids;
}

bool Cgroup::is_populated() const {
    return value_of(read_at(folder(), "cgroup.events"), "populated").value_or(0) != 0;
}

std::optional<std::chrono::microseconds> Cgroup::cpu_time() const {
    const auto used = value_of(read_at(folder(), "cpu.stat"), "usage_usec");
    if (!used) return std::nullopt;
    return std::chrono::microseconds(*used);
}

Cgroup::Removal Cgroup::fail_removal(const std::string& what) {
    problem_ = "cannot remove the cgroup " + what + ": " + reason();
    place_ = FileDescriptor();
    levels_.clear();
    return Removal::failed;
}

/// Removes a chain from its innermost group outwards with one descriptor: a job may have created chains of any length.
Cgroup::Removal Cgroup::remove_some(std::size_t count) {
    if (!place_) place_ = open_folder(folder(), ".");
    for (bool is_whole = false; !is_whole; --count) {
        if (count == 0) return Removal::working;
        std::string below;
        for_each_in(place_.get(), [&](const char* name) {
            below = name;
            return false;
        });
        if (!below.empty()) {
            auto next = open_folder(place_.get(), below.c_str());
            if (!next && errno == ENOENT) continue;
            if (!next) return fail_removal(path_ / below);
            place_ = std::move(next);
            levels_.push_back(std::move(below));
        } else if (!levels_.empty()) {
            auto above = open_folder(place_.get(), "..");
            if (!above || (::unlinkat(above.get(), levels_.back().c_str(), AT_REMOVEDIR) != 0 && errno != ENOENT)) {
                return fail_removal(path_ / levels_.back());
            }
            place_ = std::move(above);
            levels_.pop_back();
        } else {
            is_whole = true;
        }
    }
    place_ = FileDescriptor();
    if (::rmdir(path_.c_str()) != 0 && errno != ENOENT) return fail_removal(path_);
    if (path_.parent_path() != base_folder()) ::rmdir(path_.parent_path().c_str());
    return Removal::done;
}

}  // namespace trebuchet
