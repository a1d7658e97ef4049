#include "provision/process/spawn.hpp"

#include <cerrno>
#include <csignal>
#include <optional>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <unistd.h>

namespace trebuchet {
namespace {

class SpawnAttributes {
  public:
    SpawnAttributes() {
        ::posix_spawnattr_init(&value_);
        sigset_t none;
        sigemptyset(&none);
        sigset_t all;
        sigfillset(&all);
        ::posix_spawnattr_setsigmask(&value_, &none);
        ::posix_spawnattr_setsigdefault(&value_, &all);
        ::posix_spawnattr_setpgroup(&value_, 0);
        ::posix_spawnattr_setflags(&value_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    SpawnAttributes(const SpawnAttributes&) = delete;
    SpawnAttributes& operator=(const SpawnAttributes&) = delete;
    ~SpawnAttributes() { ::posix_spawnattr_destroy(&value_); }
    [[nodiscard]] const posix_spawnattr_t* get() const { return &value_; }

  private:
    posix_spawnattr_t value_{};
};

class SpawnFiles {
  public:
    explicit SpawnFiles(const ChildFiles& files) {
        ::posix_spawn_file_actions_init(&value_);
        if (files.input < 0) {
            ::posix_spawn_file_actions_addopen(&value_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        } else {
            ::posix_spawn_file_actions_adddup2(&value_, files.input, STDIN_FILENO);
        }
        if (files.output >= 0) ::posix_spawn_file_actions_adddup2(&value_, files.output, STDOUT_FILENO);
        if (files.errors >= 0) ::posix_spawn_file_actions_adddup2(&value_, files.errors, STDERR_FILENO);
    }
    SpawnFiles(const SpawnFiles&) = delete;
    SpawnFiles& operator=(const SpawnFiles&) = delete;
    ~SpawnFiles() { ::posix_spawn_file_actions_destroy(&value_); }
    [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &value_; }

  private:
    posix_spawn_file_actions_t value_{};
};

}  // namespace

int spawn(const Command& command, const ChildFiles& files, pid_t& pid) {
    std::vector<char*> argv;
    // posix_spawn takes char* for historical reasons and does not write to it.
    for (const auto& argument : command.argv) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    std::optional<EnvironmentBlock> block;
    if (command.environment != nullptr) block.emplace(*command.environment);
    const SpawnAttributes attributes;
    const SpawnFiles actions(files);
    return ::posix_spawnp(&pid, argv.front(), actions.get(), attributes.get(), argv.data(),
                          block ? block->data() : environ);
}

tl::expected<FileDescriptor, int> memory_file(std::string_view content) {
    FileDescriptor file(::memfd_create("trebuchet", MFD_CLOEXEC));
    if (!file) return tl::unexpected(errno);
    if (!write_all(file.get(), content) || ::lseek(file.get(), 0, SEEK_SET) != 0) return tl::unexpected(EIO);
    return file;
}

}  // namespace trebuchet
