#include "common/process/supervisor.hpp"

#include "common/process/process_tree.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <map>
#include <optional>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// While killing: how often newly forked descendants are looked for.
constexpr milliseconds kill_round{10};
/// While waiting for the tree to end after TERM: how often orphans are looked for.
constexpr milliseconds term_round{20};
/// An orphan that is still there is told again after this: between fork and exec a shell's child swallows TERM
/// (measured with dash).
constexpr milliseconds tell_again{200};

class Supervisor {
  public:
    Supervisor(int channel, milliseconds grace, const char* command)
        : channel_(channel), grace_(grace), command_(command) {}

    int run() {
        ::setsid();
        ::prctl(PR_SET_NAME, "trebuchet-phase", 0, 0, 0);
        ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
        ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);  // our environment is the phase's, secrets included
        ::fcntl(channel_, F_SETFD, FD_CLOEXEC);

        sigset_t watched;
        sigemptyset(&watched);
        sigaddset(&watched, SIGCHLD);
        // A service manager may send these to the whole control group: the agent decides what becomes of the phase.
        for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2}) sigaddset(&watched, signal);
        ::sigprocmask(SIG_BLOCK, &watched, nullptr);
        signals_ = ::signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK);

        start_command();
        let_go_of_output();
        while (reap()) wait_for_something();
        return 0;
    }

  private:
    void start_command() {
        std::array<int, 2> exec_failure{};
        if (::pipe2(exec_failure.data(), O_CLOEXEC) != 0) {
            report(SupervisorReport::Kind::could_not_start, errno);
            return;
        }
        const pid_t self = ::getpid();
        command_pid_ = ::fork();
        if (command_pid_ == 0) {
            become_command(self);
            const int error = errno;
            [[maybe_unused]] const auto written = ::write(exec_failure[1], &error, sizeof error);
            ::_exit(127);
        }
        const int fork_error = errno;
        ::close(exec_failure[1]);
        int error = 0;
        if (command_pid_ < 0) {
            report(SupervisorReport::Kind::could_not_start, fork_error);
        } else if (::read(exec_failure[0], &error, sizeof error) == static_cast<ssize_t>(sizeof error)) {
            report(SupervisorReport::Kind::could_not_start, error);
        }
        ::close(exec_failure[0]);
    }

    /// In the child; returns only if exec failed.
    void become_command(pid_t supervisor) const {
        ::setsid();  // `kill 0` in a script reaches the script only
        ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        if (::getppid() != supervisor) ::_exit(127);
        for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
        sigset_t none;
        sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        ::execl("/bin/sh", "/bin/sh", "-c", command_, static_cast<char*>(nullptr));
    }

    /// The pipe must end when the command's tree is done with it.
    static void let_go_of_output() {
        const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
        ::dup2(null, STDOUT_FILENO);
        ::dup2(null, STDERR_FILENO);
        ::close(null);
        if (::chdir("/") != 0) return;
    }

    void report(SupervisorReport::Kind kind, int value) {
        reported_ = true;
        const SupervisorReport message{kind, value, static_cast<std::int32_t>(descendants_of(::getpid()).size())};
        ::send(channel_, &message, sizeof message, MSG_NOSIGNAL);
    }

    /// Collects the dead; false when nobody is left.
    bool reap() {
        while (true) {
            int status = 0;
            const pid_t pid = ::waitpid(-1, &status, WNOHANG);
            if (pid == 0) return true;
            if (pid < 0 && errno == EINTR) continue;
            if (pid < 0) return false;
            if (pid != command_pid_ || reported_) continue;
            if (WIFEXITED(status)) {
                report(SupervisorReport::Kind::exited, WEXITSTATUS(status));
            } else {
                report(SupervisorReport::Kind::signalled, WTERMSIG(status));
            }
        }
    }

    void wait_for_something() {
        std::array<pollfd, 2> sources{{{signals_, POLLIN, 0}, {channel_, POLLIN, 0}}};
        const nfds_t count = agent_gone_ ? 1 : 2;
        ::poll(sources.data(), count, timeout());
        drain_signals();
        if (count == 2 && (sources[1].revents & (POLLIN | POLLHUP | POLLERR)) != 0) take_order();
        if (!told_.empty()) tell_orphans();
        if (kill_at_ && steady_clock::now() >= *kill_at_) {
            told_.clear();
            signal_descendants(::getpid(), SIGKILL);
            kill_at_ = steady_clock::now() + kill_round;
        }
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

    void tell_to_end(pid_t pid) {
        told_[pid] = steady_clock::now();
        ::kill(pid, SIGTERM);
        ::kill(pid, SIGCONT);
    }

    /// What a process forked while it was told to end comes to us when that is gone. What still has its parent is that
    /// one's to end: it may be part of its clearing up.
    void tell_orphans() {
        for (const pid_t pid : children_of(::getpid())) {
            const auto told = told_.find(pid);
            const bool again =
                told != told_.end() && pid != command_pid_ && steady_clock::now() - told->second >= tell_again;
            if (told == told_.end() || again) tell_to_end(pid);
        }
    }

    void take_order() {
        char order = 0;
        const auto length = ::recv(channel_, &order, 1, MSG_DONTWAIT);
        if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
        agent_gone_ = length <= 0;
        if (agent_gone_ || order == static_cast<char>(SupervisorOrder::kill)) {
            kill_at_ = steady_clock::now();
        } else if (order == static_cast<char>(SupervisorOrder::term) && !kill_at_) {
            for (const pid_t pid : descendants_of(::getpid())) tell_to_end(pid);
            kill_at_ = steady_clock::now() + grace_;
        }
    }

    int channel_;
    milliseconds grace_;
    const char* command_;
    int signals_ = -1;
    pid_t command_pid_ = -1;
    bool reported_ = false;
    bool agent_gone_ = false;
    std::optional<steady_clock::time_point> kill_at_;
    std::map<pid_t, steady_clock::time_point> told_;  ///< who got TERM, and when; empty once KILL is due
};

}  // namespace

int supervise_phase(int argc, char** argv) {
    if (argc < 5) return 2;
    const auto channel = static_cast<int>(std::strtol(argv[2], nullptr, 10));
    const auto grace = milliseconds(std::strtoll(argv[3], nullptr, 10));
    return Supervisor(channel, grace, argv[4]).run();
}

}  // namespace trebuchet
