#include "agent/import/sealed_namespace.hpp"

#include "common/base/system_text.hpp"
#include "common/file/safe_file.hpp"

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;

constexpr std::array device_files{"null", "zero", "full", "random", "urandom", "tty"};
constexpr std::array device_folders{"pts", "shm"};
constexpr std::array device_links{std::pair{"fd", "/proc/self/fd"}, std::pair{"stdin", "/proc/self/fd/0"},
                                  std::pair{"stdout", "/proc/self/fd/1"}, std::pair{"stderr", "/proc/self/fd/2"},
                                  std::pair{"ptmx", "pts/ptmx"}};

Result<void> failure(const std::string& what) {
    return fail("cannot " + what + ": " + system_text(errno));
}

Result<void> bring_up_loopback() {
    const FileDescriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{};
    request.ifr_name[0] = 'l';
    request.ifr_name[1] = 'o';
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    if (!socket || ::ioctl(socket.get(), SIOCSIFFLAGS, &request) != 0) return failure("bring up loopback");
    return {};
}

Result<void> bind(const fs::path& what, const fs::path& place) {
    if (::mount(what.c_str(), place.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0) {
        return failure("put " + what.string() + " into the rehearsal");
    }
    return {};
}

Result<void> put_devices(const fs::path& folder) {
    if (::mount("tmpfs", folder.c_str(), "tmpfs", MS_NOSUID, "mode=0755") != 0) return failure("make a /dev");
    const fs::path host = "/dev";
    std::error_code ignored;
    for (const auto* name : device_files) {
        const FileDescriptor file(::open((folder / name).c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        if (!file) return failure("make a /dev");
        if (!fs::exists(host / name, ignored)) continue;
        if (auto bound = bind(host / name, folder / name); !bound) return bound;
    }
    for (const auto* name : device_folders) {
        if (!fs::is_directory(host / name, ignored)) continue;
        fs::create_directory(folder / name, ignored);
        if (auto bound = bind(host / name, folder / name); !bound) return bound;
    }
    for (const auto& [name, target] : device_links) {
        if (::symlink(target, (folder / name).c_str()) != 0) return failure("make a /dev");
    }
    return bind(folder, host);
}

}  // namespace

Result<void> enter_sealed_namespace(const fs::path& folder) {
    if (::unshare(CLONE_NEWNS | CLONE_NEWNET) != 0) return failure("make a namespace without network");
    if (::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return failure("make a mount namespace");
    if (auto up = bring_up_loopback(); !up) return up;
    return put_devices(folder);
}

}  // namespace trebuchet
