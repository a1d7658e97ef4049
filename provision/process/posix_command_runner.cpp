#include "provision/process/posix_command_runner.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t max_output = std::size_t{64} * 1024;

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
    /// `output`: where stdout and stderr go; -1: they stay.
    explicit SpawnFiles(int output) {
        ::posix_spawn_file_actions_init(&value_);
        ::posix_spawn_file_actions_addopen(&value_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        if (output < 0) return;
        ::posix_spawn_file_actions_adddup2(&value_, output, STDOUT_FILENO);
        ::posix_spawn_file_actions_adddup2(&value_, output, STDERR_FILENO);
    }
    SpawnFiles(const SpawnFiles&) = delete;
    SpawnFiles& operator=(const SpawnFiles&) = delete;
    ~SpawnFiles() { ::posix_spawn_file_actions_destroy(&value_); }
    [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &value_; }

  private:
    posix_spawn_file_actions_t value_{};
};

/// Returns errno's value, 0 if the program runs.
int spawn(const Command& command, int output, pid_t& pid) {
    std::vector<char*> argv;
    // posix_spawn takes char* for historic reasons and does not write through it.
    for (const auto& argument : command.argv) argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    std::optional<EnvironmentBlock> block;
    if (command.environment != nullptr) block.emplace(*command.environment);
    const SpawnAttributes attributes;
    const SpawnFiles files(output);
    return ::posix_spawnp(&pid, argv.front(), files.get(), attributes.get(), argv.data(),
                          block ? block->data() : environ);
}

/// Until `process` has ended (true), `interrupt` is readable or the deadline has passed. -1 as `interrupt`: not looked
/// at.
bool wait_for_end(const FileDescriptor& process, int interrupt, std::optional<steady_clock::time_point> deadline) {
    while (true) {
        milliseconds left = std::chrono::hours(1);
        if (deadline) left = std::min(left, std::chrono::ceil<milliseconds>(*deadline - steady_clock::now()));
        std::array<pollfd, 2> ready{pollfd{process.get(), POLLIN, 0}, pollfd{interrupt, POLLIN, 0}};
        ::poll(ready.data(), ready.size(), static_cast<int>(std::max(left, milliseconds::zero()).count()));
        if (ready[0].revents != 0) return true;
        if (ready[1].revents != 0 || (deadline && steady_clock::now() >= *deadline)) return false;
    }
}

CommandEnd reap(pid_t pid) {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) return CommandNotStarted{errno};
    }
    if (WIFSIGNALED(status)) return CommandKilled{WTERMSIG(status)};
    return CommandExited{WEXITSTATUS(status)};
}

/// Whoever is left of a group whose leader was reaped, such as a process forked while the group got its SIGTERM, has
/// until `kill_time`. The group's number is not given away as long as it has a member.
void end_group(pid_t group, steady_clock::time_point kill_time) {
    constexpr int interval_ms = 10;
    while (true) {
        while (::waitpid(-group, nullptr, WNOHANG) > 0) {
        }
        if (::kill(-group, 0) != 0) return;
        if (steady_clock::now() >= kill_time) {
            ::kill(-group, SIGKILL);
            return;
        }
        ::poll(nullptr, 0, interval_ms);
    }
}

std::string read_output(const FileDescriptor& file) {
    std::string output(max_output, '\0');
    std::size_t filled = 0;
    while (filled < output.size()) {
        const auto count =
            ::pread(file.get(), output.data() + filled, output.size() - filled, static_cast<off_t>(filled));
        if (count <= 0) break;
        filled += static_cast<std::size_t>(count);
    }
    output.resize(filled);
    return output;
}

}  // namespace

PosixCommandRunner::PosixCommandRunner(SignalInterrupt& interrupt, milliseconds grace)
    : interrupt_(&interrupt), grace_(grace) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

CommandResult PosixCommandRunner::run(const Command& command) {
    if (const int signal = interrupt_->wait_for(milliseconds::zero()); signal != 0)
        return {CommandInterrupted{signal}, {}};
    // A file in memory, so that nobody has to keep a pipe from filling up.
    FileDescriptor output;
    if (command.capture_output) {
        output = FileDescriptor(::memfd_create("output", MFD_CLOEXEC));
        if (!output) return {CommandNotStarted{errno}, {}};
    }
    pid_t pid = -1;
    if (const int error = spawn(command, output.get(), pid); error != 0) return {CommandNotStarted{error}, {}};

    const FileDescriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!process) throw std::system_error(errno, std::system_category(), "pidfd_open");
    std::optional<steady_clock::time_point> deadline;
    if (command.timeout) deadline = steady_clock::now() + *command.timeout;

    if (!wait_for_end(process, interrupt_->fd(), deadline)) {
        CommandEnd cut_short = CommandTimedOut{};
        if (const int signal = interrupt_->wait_for(milliseconds::zero()); signal != 0) {
            cut_short = CommandInterrupted{signal};
        }
        const auto kill_time = steady_clock::now() + grace_;
        ::kill(-pid, SIGTERM);
        if (!wait_for_end(process, -1, kill_time)) ::kill(-pid, SIGKILL);
        (void)reap(pid);
        end_group(pid, kill_time);
        return {cut_short, output ? read_output(output) : ""};
    }
    const auto end = reap(pid);
    return {end, output ? read_output(output) : ""};
}

}  // namespace trebuchet
