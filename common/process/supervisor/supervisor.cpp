// The supervisor of a phase:
//
//  1. Become a subreaper: descendants whose parent ends become children of this process. Block every signal, so that a
//     job of the same user can only use SIGKILL and SIGSTOP against this process (the agent notices both). Become
//     non-dumpable, so that no other process can inspect this one.
//  2. Fork the command, into its cgroup if there is one, with the environment from the file COMMAND.
//  3. Reap every child that ends. waitpid returns ECHILD when no descendant is left, so /proc is not needed.
//  4. When the command itself has ended, report how, and how many descendants still run. Only now check whether exec
//     failed: waiting for that earlier would block steps 5 and 6 if the command was frozen before exec.
//  5. On the order TERM: send TERM and CONT to the whole tree, and to orphans that arrive later. After the grace
//     period, go on as for KILL.
//  6. On the order KILL, or when the agent is gone: kill the cgroup, then the tree (TreeKill). Repeat every 10 ms,
//     after 2 s every 250 ms: processes that cannot be killed, such as those of another user, must not cost CPU time.
//  7. When nothing is left, report it and exit.
//
// Example: a test starts a daemon and exits with 0. Step 3 reaps the test; step 4 reports "exited, 0, 1 left". The
// daemon runs on. Before cleanup the agent orders TERM: step 5 signals the daemon, which exits; step 3 reaps it and
// gets ECHILD; step 7 follows.
#include "common/process/supervisor/supervisor.hpp"

#include "common/process/process_tree.hpp"
#include "common/process/tree_kill.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <map>
#include <optional>
#include <vector>

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// While killing: the pause between two rounds.
constexpr milliseconds kill_round{10};
constexpr milliseconds slow_kill_round{250};
constexpr milliseconds slow_after{2'000};
/// After TERM: the pause between two looks for orphans.
constexpr milliseconds term_round{20};
/// An orphan that is still alive gets TERM again after this time: between fork and exec, a shell's child ignores TERM
/// (measured with dash).
constexpr milliseconds tell_again{200};
/// After this many walks, look for orders again.
constexpr int walks_per_round = 100;
constexpr std::size_t read_size = 65536;
constexpr auto everything = std::numeric_limits<std::size_t>::max();

/// Forked child → supervisor.
struct ChildFailure {
    enum class What : std::int32_t { moving, executing };
    What what = What::executing;
    std::int32_t error = 0;
};

/// All signals, including the two that glibc reserves: they would kill this process.
void block_all_signals() {
    const std::uint64_t all = ~std::uint64_t{0};
    ::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, nullptr, sizeof all);
}

struct Arguments {
    int channel;
    int command;
    int cgroup;
    milliseconds grace;
};

/// Clears the ambient set too: it would survive the change of user.
bool drop_capabilities() {
    __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
    std::array<__user_cap_data_struct, 2> none{};
    ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    return ::syscall(SYS_capset, &header, none.data()) == 0;
}

/// `numbers`: user, group, supplementary groups. Does nothing if it is empty.
bool become(const char* numbers) {
    std::vector<gid_t> ids;
    for (char* end = nullptr; *numbers != '\0'; numbers = end) {
        ids.push_back(static_cast<gid_t>(std::strtoul(numbers, &end, 10)));
        if (end == numbers) return false;
        while (*end == ' ') ++end;
    }
    if (ids.size() < 2) return ids.empty();
    // Otherwise the command could not open /dev/stdout and /dev/stderr.
    for (const int output : {STDOUT_FILENO, STDERR_FILENO}) {
        if (::fchown(output, ids[0], ids[1]) != 0) return false;
    }
    return ::setgroups(ids.size() - 2, ids.data() + 2) == 0 && ::setresgid(ids[1], ids[1], ids[1]) == 0 &&
           ::setresuid(ids[0], ids[0], ids[0]) == 0 && drop_capabilities();
}

/// Runs in the forked child: executes what the file contains. Returns only on failure.
void execute(int command_file, pid_t supervisor) {
    std::vector<char> content;
    std::size_t size = 0;
    for (ssize_t length = 1; length > 0; size += static_cast<std::size_t>(length)) {
        content.resize(size + read_size);
        length = ::read(command_file, content.data() + size, read_size);
        if (length < 0) return;
    }
    char* const user = content.data();
    if (!become(user)) return;
    // The change of user has cleared this setting.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (::getppid() != supervisor) ::_exit(127);
    char* const text = user + std::strlen(user) + 1;
    const auto count = static_cast<std::size_t>(std::count(user, user + size, '\0'));
    auto** const environment = static_cast<char**>(std::calloc(count + 1, sizeof(char*)));
    if (environment == nullptr) return;
    std::size_t number = 0;
    for (char* entry = text + std::strlen(text) + 1; entry < user + size; entry += std::strlen(entry) + 1) {
        environment[number++] = entry;
    }
    std::array<char, 8> shell{"/bin/sh"};
    std::array<char, 3> flag{"-c"};
    std::array<char*, 4> arguments{shell.data(), flag.data(), text, nullptr};
    ::execve(shell.data(), arguments.data(), environment);
}

/// fork() directly into a cgroup, at a quarter of the cost of moving the process later. -1 if the kernel or a seccomp
/// filter does not allow it.
pid_t fork_into(int cgroup) {
    clone_args arguments{};
    arguments.flags = CLONE_INTO_CGROUP;
    arguments.exit_signal = SIGCHLD;
    arguments.cgroup = static_cast<__u64>(cgroup);
    return static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments));
}

bool write_to(int folder, const char* file, const char* text) {
    const int fd = ::openat(folder, file, O_WRONLY | O_CLOEXEC);
    if (fd < 0) return false;
    const auto written = ::write(fd, text, std::strlen(text));
    const int error = errno;
    ::close(fd);
    errno = error;
    return written > 0;
}

/// For when the agent is gone: removes the group, and the job's group if it is now empty.
void remove_group(int folder) {
    std::array<char, 32> link{};
    std::array<char, 4096> path{};
    std::snprintf(link.data(), link.size(), "/proc/self/fd/%d", folder);
    if (::readlink(link.data(), path.data(), path.size() - 1) <= 0 || ::rmdir(path.data()) != 0) return;
    char* const name = std::strrchr(path.data(), '/');
    *name = '\0';
    const char* const above = std::strrchr(path.data(), '/');
    if (above != nullptr && std::strncmp(above, "/trebuchet-", 11) == 0) ::rmdir(path.data());
}

class Supervisor {
  public:
    explicit Supervisor(const Arguments& arguments)
        : channel_(arguments.channel),
          command_file_(arguments.command),
          cgroup_(arguments.cgroup),
          grace_(arguments.grace) {}

    void run() {
        ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
        ::setsid();
        ::prctl(PR_SET_NAME, "trebuchet-phase", 0, 0, 0);
        ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
        for (const int fd : {channel_, command_file_, cgroup_}) {
            if (fd >= 0) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
        }
        block_all_signals();
        sigset_t watched;
        sigemptyset(&watched);
        sigaddset(&watched, SIGCHLD);
        signals_ = ::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);

        start_command();
        let_go_of_output();
        while (reap()) wait_for_something();
        if (agent_gone_ && cgroup_ >= 0) remove_group(cgroup_);
        send({SupervisorReport::Kind::nothing_left, 0, 0});
    }

  private:
    void start_command() {
        std::array<int, 2> failures{};
        if (::pipe2(failures.data(), O_CLOEXEC | O_NONBLOCK) != 0) return could_not_start(errno);
        failures_ = failures[0];
        const pid_t self = ::getpid();
        if (cgroup_ >= 0) command_pid_ = fork_into(cgroup_);
        const bool must_move = cgroup_ >= 0 && command_pid_ < 0;
        if (command_pid_ < 0) command_pid_ = ::fork();
        if (command_pid_ == 0) {
            if (must_move && !write_to(cgroup_, "cgroup.procs", "0")) tell(failures[1], ChildFailure::What::moving);
            become_command(self);
            tell(failures[1], ChildFailure::What::executing);
            ::_exit(127);
        }
        if (command_pid_ < 0) could_not_start(errno);
        ::close(failures[1]);
        ::close(command_file_);
    }

    /// Runs in the child.
    static void tell(int failures, ChildFailure::What what) {
        const ChildFailure failure{what, errno};
        [[maybe_unused]] const auto written = ::write(failures, &failure, sizeof failure);
    }

    /// Runs in the child; returns only if exec failed.
    void become_command(pid_t supervisor) const {
        ::setsid();  // so that `kill 0` in a script reaches only the script
        for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
        sigset_t none;
        sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        execute(command_file_, supervisor);
    }

    /// The output pipe must reach its end when the command's tree has closed it.
    static void let_go_of_output() {
        const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
        ::dup2(null, STDOUT_FILENO);
        ::dup2(null, STDERR_FILENO);
        ::close(null);
        if (::chdir("/") != 0) return;
    }

    void send(const SupervisorReport& message) const {
        ::send(channel_, &message, sizeof message, MSG_NOSIGNAL | MSG_DONTWAIT);
    }

    void could_not_start(int error) {
        reported_ = true;
        send({SupervisorReport::Kind::could_not_start, error, 0});
    }

    /// Reaps ended children, and reports the command if it is among them. False when no child is left.
    bool reap() {
        std::optional<int> command_status;
        pid_t pid = 0;
        do {
            int status = 0;
            pid = ::waitpid(-1, &status, WNOHANG);
            if (pid == command_pid_ && !reported_) command_status = status;
        } while (pid > 0 || (pid < 0 && errno == EINTR));
        const bool anybody_left = pid == 0;
        if (command_status) report(*command_status, anybody_left);
        return anybody_left;
    }

    /// The command has ended, so the pipe already contains any failure that its child reported.
    void report(int status, bool anybody_left) {
        ChildFailure failure;
        while (::read(failures_, &failure, sizeof failure) == static_cast<ssize_t>(sizeof failure)) {
            if (failure.what == ChildFailure::What::executing) return could_not_start(failure.error);
            send({SupervisorReport::Kind::without_cgroup, failure.error, 0});
        }
        reported_ = true;
        const auto left = anybody_left ? static_cast<std::int32_t>(descendants_of(::getpid()).size()) : 0;
        if (WIFEXITED(status)) {
            send({SupervisorReport::Kind::exited, WEXITSTATUS(status), left});
        } else {
            send({SupervisorReport::Kind::signalled, WTERMSIG(status), left});
        }
    }

    void wait_for_something() {
        std::array<pollfd, 2> sources{{{signals_, POLLIN, 0}, {channel_, POLLIN, 0}}};
        const nfds_t count = agent_gone_ ? 1 : 2;
        ::poll(sources.data(), count, timeout());
        drain_signals();
        if (count == 2 && (sources[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0) take_order();
        if (!told_.empty()) tell_orphans();
        if (kill_at_ && steady_clock::now() >= *kill_at_) kill_tree();
    }

    [[nodiscard]] int timeout() const {
        if (!kill_at_) return -1;
        auto left = std::chrono::ceil<milliseconds>(*kill_at_ - steady_clock::now());
        if (!told_.empty()) left = std::min(left, term_round);
        return static_cast<int>(std::max<milliseconds::rep>(0, left.count()));
    }

    void drain_signals() const {
        std::array<signalfd_siginfo, 16> pending{};
        while (::read(signals_, pending.data(), sizeof pending) > 0) continue;
    }

    void tell_to_end(const HeldProcess& process) {
        told_[process.pid()] = steady_clock::now();
        process.signal(SIGTERM);
        process.signal(SIGCONT);
    }

    /// Signals orphans that were forked while TERM was sent: they become our children when their parent ends. A process
    /// that still has its parent is left to that parent: it may be part of its cleanup.
    void tell_orphans() {
        visit_children(::getpid(), [this](const HeldProcess& orphan) {
            const auto told = told_.find(orphan.pid());
            const bool again =
                told != told_.end() && orphan.pid() != command_pid_ && steady_clock::now() - told->second >= tell_again;
            if (told == told_.end() || again) tell_to_end(orphan);
        });
    }

    void kill_tree() {
        told_.clear();
        const auto now = steady_clock::now();
        if (!killing_since_) killing_since_ = now;
        if (cgroup_ >= 0) write_to(cgroup_, "cgroup.kill", "1");
        for (int walks = 0; walks < walks_per_round && reap(); ++walks) {
            if (tree_kill_.step(everything) != TreeKill::Progress::working) break;
        }
        const bool is_slow = now - *killing_since_ >= slow_after;
        kill_at_ = steady_clock::now() + (is_slow ? slow_kill_round : kill_round);
    }

    void take_order() {
        char order = 0;
        const auto length = ::recv(channel_, &order, 1, MSG_DONTWAIT);
        if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
        agent_gone_ = length <= 0;
        if (agent_gone_ || order == static_cast<char>(SupervisorOrder::kill)) {
            kill_at_ = steady_clock::now();
        } else if (order == static_cast<char>(SupervisorOrder::term) && !kill_at_) {
            TreeWalk(::getpid()).step(everything, [this](const HeldProcess& process) { tell_to_end(process); });
            kill_at_ = steady_clock::now() + grace_;
        }
    }

    int channel_;
    int command_file_;
    int cgroup_;
    milliseconds grace_;
    int signals_ = -1;
    int failures_ = -1;  ///< read end of the pipe for ChildFailure
    pid_t command_pid_ = -1;
    bool reported_ = false;
    bool agent_gone_ = false;
    std::optional<steady_clock::time_point> kill_at_;
    std::optional<steady_clock::time_point> killing_since_;
    TreeKill tree_kill_{::getpid()};
    std::map<pid_t, steady_clock::time_point> told_;  ///< who got TERM, and when; empty once killing has begun
};

}  // namespace

void supervise_phase(int argc, char** argv) {
    if (argc < 7) ::_exit(2);
    const auto number = [&](int at) { return static_cast<int>(std::strtol(argv[at], nullptr, 10)); };
    Supervisor({number(2), number(3), number(4), milliseconds(std::strtoll(argv[5], nullptr, 10))}).run();
    ::_exit(0);
}

}  // namespace trebuchet
