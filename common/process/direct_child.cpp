#include "common/process/direct_child.hpp"

#include "common/base/system_text.hpp"
#include "common/file/safe_file.hpp"

#include <cerrno>
#include <csignal>
#include <utility>

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace trebuchet {
namespace {

constexpr int not_started = 127;

/// What the child needs between fork and exec, made before: there it may only make async-signal-safe calls.
struct Launch {
    const char* program;
    char** arguments;
    char** environment;
    int nothing;  ///< /dev/null
    int group;    ///< cgroup.procs of its cgroup, or -1
    pid_t parent;
};

[[noreturn]] void become(const Launch& launch) {
    ::prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
    if (::getppid() != launch.parent) ::_exit(not_started);
    for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::setsid();
    if (launch.group >= 0 && ::write(launch.group, "0", 1) != 1) {
        static constexpr char words[] = "trebuchet: the child stays in the cgroup of its parent\n";
        if (::write(STDERR_FILENO, words, sizeof words - 1) < 0) ::_exit(not_started);
    }
    ::dup2(launch.nothing, STDIN_FILENO);
    ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
    ::execve(launch.program, launch.arguments, launch.environment);
    ::_exit(not_started);
}

class ForkedChild final : public DirectChild {
  public:
    ForkedChild(EventLoop& loop, pid_t pid, FileDescriptor handle, std::function<void(ChildEnd)> ended)
        : pid_(pid),
          handle_(std::move(handle)),
          ended_(std::move(ended)),
          watcher_(std::make_unique<ReadWatcher>(loop, handle_.get(), [this] { reap(); })) {}

    [[nodiscard]] pid_t pid() const override { return pid_; }
    void signal(int number) override { ::syscall(SYS_pidfd_send_signal, handle_.get(), number, nullptr, 0); }

  private:
    void reap() {
        siginfo_t info{};
        if (::waitid(P_PIDFD, static_cast<id_t>(handle_.get()), &info, WEXITED | WNOHANG) != 0) {
            if (errno == EINTR) return;
            info.si_pid = pid_;  // somebody else reaped it: how it ended is lost
            info.si_code = CLD_EXITED;
            info.si_status = 1;
        }
        if (info.si_pid == 0) return;
        watcher_.reset();
        const bool has_exited = info.si_code == CLD_EXITED;
        const auto ended = std::move(ended_);
        ended({has_exited ? info.si_status : 0, has_exited ? 0 : info.si_status});
    }

    pid_t pid_;
    FileDescriptor handle_;
    std::function<void(ChildEnd)> ended_;
    std::unique_ptr<ReadWatcher> watcher_;
};

FileDescriptor processes_of(int cgroup) {
    return FileDescriptor(cgroup < 0 ? -1 : ::openat(cgroup, "cgroup.procs", O_WRONLY | O_CLOEXEC));
}

}  // namespace

Result<std::unique_ptr<DirectChild>> DirectChild::start(EventLoop& loop, const DirectChildSpec& spec,
                                                        std::function<void(ChildEnd)> ended) {
    std::vector<std::string> texts{spec.program.string()};
    texts.insert(texts.end(), spec.arguments.begin(), spec.arguments.end());
    std::vector<char*> arguments;
    arguments.reserve(texts.size() + 1);
    for (auto& text : texts) arguments.push_back(text.data());
    arguments.push_back(nullptr);
    EnvironmentBlock environment(spec.environment);
    const FileDescriptor nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    const auto group = processes_of(spec.cgroup);
    const Launch launch{texts.front().c_str(), arguments.data(), environment.data(),
                        nothing.get(),         group.get(),      ::getpid()};
    if (::access(launch.program, X_OK) != 0) return fail("cannot run " + texts.front() + ": " + system_text(errno));
    const pid_t pid = ::fork();
    if (pid == 0) become(launch);
    if (pid < 0) return fail("cannot start " + texts.front() + ": " + system_text(errno));
    FileDescriptor handle(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!handle) {
        const int error = errno;
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);  // at once, after SIGKILL
        return fail("cannot watch " + texts.front() + ": " + system_text(error));
    }
    return std::make_unique<ForkedChild>(loop, pid, std::move(handle), std::move(ended));
}

void keep_exit_codes() {
    struct sigaction standard {};
    standard.sa_handler = SIG_DFL;
    ::sigaction(SIGCHLD, &standard, nullptr);
    ::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
}

}  // namespace trebuchet
