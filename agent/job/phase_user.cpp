#include "agent/job/phase_user.hpp"

#include "common/base/system_text.hpp"
#include "common/file/safe_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <string>
#include <vector>

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;

constexpr std::array capabilities{CAP_SETUID, CAP_SETGID, CAP_CHOWN, CAP_KILL, CAP_DAC_OVERRIDE};
/// The deepest nesting allowed; attachments are less deep.
constexpr int deepest = 200;

tl::unexpected<Error> failed(const std::string& what) {
    return fail(what + ": " + system_text(errno));
}

std::vector<gid_t> groups_of(const std::string& name, gid_t group) {
    std::vector<gid_t> groups(64);
    int count = static_cast<int>(groups.size());
    while (::getgrouplist(name.c_str(), group, groups.data(), &count) < 0) {
        groups.resize(std::max(static_cast<std::size_t>(count), 2 * groups.size()));
        count = static_cast<int>(groups.size());
    }
    groups.resize(static_cast<std::size_t>(count));
    return groups;
}

bool have_capabilities() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> sets{};
    if (::syscall(SYS_capget, &header, sets.data()) != 0) return false;
    for (const auto capability : capabilities) {
        const auto bit = 1U << static_cast<unsigned>(capability);
        if ((sets[0].permitted & bit) == 0) return false;
        sets[0].effective |= bit;
        sets[0].inheritable |= bit;
    }
    if (::syscall(SYS_capset, &header, sets.data()) != 0) return false;
    return std::all_of(capabilities.begin(), capabilities.end(), [](int capability) {
        return ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) == 0;
    });
}

struct CloseFolder {
    void operator()(DIR* folder) const { ::closedir(folder); }
};

Result<void> give(int parent, const std::string& name, const ProcessUser& user, int depth);

/// Includes the folder itself, last.
Result<void> give_folder(FileDescriptor folder, const std::string& name, const ProcessUser& user, int depth) {
    if (depth > deepest) return fail(name + " is nested too deep");
    const std::unique_ptr<DIR, CloseFolder> entries(::fdopendir(folder.get()));
    if (!entries) return failed("cannot read " + name);
    static_cast<void>(folder.release());
    const int fd = ::dirfd(entries.get());
    while (const dirent* entry = ::readdir(entries.get())) {  // NOLINT(concurrency-mt-unsafe)
        const std::string child(entry->d_name);
        if (child == "." || child == "..") continue;
        if (auto given = give(fd, child, user, depth + 1); !given) return given;
    }
    if (::fchown(fd, user.user, user.group) != 0) return failed("cannot give away " + name);
    return {};
}

Result<void> give(int parent, const std::string& name, const ProcessUser& user, int depth) {
    FileDescriptor folder(::openat(parent, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (folder) return give_folder(std::move(folder), name, user, depth);
    if (errno != ENOTDIR && errno != ELOOP) return failed("cannot open " + name);
    if (::fchownat(parent, name.c_str(), user.user, user.group, AT_SYMLINK_NOFOLLOW) != 0) {
        return failed("cannot give away " + name);
    }
    return {};
}

}  // namespace

Result<PhaseUser> find_phase_user(const std::string& name) {
    const auto about = "trebuchet.phase_user: ";
    std::vector<char> buffer(65536);
    passwd entry{};
    passwd* found = nullptr;
    const int error = ::getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    if (found == nullptr) {
        return fail(about + (error == 0 ? "there is no user " + name
                                        : "cannot look up the user " + name + ": " + system_text(error)));
    }
    if (entry.pw_uid == 0) return fail(about + std::string("phases must not run as root, expected another user"));
    PhaseUser user;
    user.ids = {entry.pw_uid, entry.pw_gid, groups_of(name, entry.pw_gid)};
    user.name = name;
    user.home = entry.pw_dir;
    user.shell = entry.pw_shell;
    return user;
}

Result<void> prepare_for_phase_user(const PhaseUser& user) {
    if (user.ids.user == ::geteuid()) {
        return fail("trebuchet.phase_user: " + user.name + " is the agent's own user, expected another one");
    }
    if (::geteuid() == 0 || have_capabilities()) return {};
    return fail("trebuchet.phase_user: to run phases as " + user.name +
                ", the agent must be root, or have CAP_SETUID, CAP_SETGID, CAP_CHOWN, CAP_KILL and CAP_DAC_OVERRIDE "
                "(AmbientCapabilities= in its unit)");
}

void set_user_variables(Environment& environment, const PhaseUser& user) {
    // These belong to the session of the agent's user.
    for (const auto* prefix : {"XDG_", "DBUS_SESSION_"}) environment.unset_prefix(prefix);
    for (const auto* name : {"MAIL", "TMPDIR"}) environment.unset(name);
    environment.set("HOME", user.home.string());
    environment.set("USER", user.name);
    environment.set("LOGNAME", user.name);
    environment.set("SHELL", user.shell.empty() ? "/bin/sh" : user.shell);
}

Result<void> let_pass(const fs::path& folder, const ProcessUser& user) {
    bool is_lowest = true;
    for (auto path = fs::absolute(folder).lexically_normal();; path = path.parent_path()) {
        if (!path.has_filename() && path.has_relative_path()) path = path.parent_path();
        struct stat info {};
        if (::stat(path.c_str(), &info) != 0) return failed("cannot look at " + path.string());
        const bool is_of_others = info.st_uid != 0 && info.st_uid != ::geteuid();
        const bool is_sticky = (info.st_mode & S_ISVTX) != 0 && !is_lowest;
        const auto& groups = user.groups;
        const bool is_of_group = std::find(groups.begin(), groups.end(), info.st_gid) != groups.end();
        if (is_of_others || info.st_uid == user.user || (is_of_group && (info.st_mode & S_IWGRP) != 0) ||
            ((info.st_mode & S_IWOTH) != 0 && !is_sticky)) {
            return fail("with trebuchet.phase_user a job must not be able to rename " + folder.string() + ", but " +
                        path.string() + " belongs to uid " + std::to_string(info.st_uid) +
                        " or can be written by the user of the phases");
        }
        if ((info.st_mode & S_IXOTH) == 0) {
            const bool is_ours = info.st_uid == ::geteuid();
            if (!is_ours || ::chmod(path.c_str(), (info.st_mode & 07777) | S_IXGRP | S_IXOTH) != 0) {
                return fail("with trebuchet.phase_user, jobs must be able to reach " + folder.string() +
                            ": run chmod o+x " + path.string());
            }
        }
        is_lowest = false;
        if (!path.has_relative_path()) return {};
    }
}

Result<void> give_tree(const fs::path& folder, const ProcessUser& user) {
    FileDescriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd) return failed("cannot open " + folder.string());
    return give_folder(std::move(fd), folder.string(), user, 0);
}

}  // namespace trebuchet
