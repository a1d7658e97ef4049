#include "common/file/safe_file.hpp"
#include "common/process/process.hpp"
#include "common/process/supervisor/supervisor.hpp"
#include "common/process/supervisor_program.hpp"
#include "common/process/tree_kill.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <map>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/process/args.hpp>
#include <boost/process/async_pipe.hpp>
#include <boost/process/child.hpp>
#include <boost/process/exe.hpp>
#include <boost/process/extend.hpp>
#include <boost/process/io.hpp>

namespace asio = boost::asio;
namespace bp = boost::process;

namespace trebuchet {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// How long to read output after the command has ended while a descendant keeps the pipe open.
constexpr milliseconds drain_time{300};
/// After that, read at most this much: a full pipe (pipe(7)).
constexpr std::size_t drain_limit = 1U << 20;

/// How often to check whether the supervisor was stopped.
constexpr milliseconds supervisor_check{1'000};
/// After the grace period: when this process starts to kill the tree itself, and when it gives up.
constexpr milliseconds supervisor_delay{1'000};
constexpr milliseconds kill_limit{5'000};
/// How long, at most, kill() leaves the work to the supervisor.
constexpr milliseconds kill_delay{300};
/// The pause before looking again for killed processes that are still there.
constexpr milliseconds kill_pause{10};
/// How long a supervisor may take to exit once its tree is gone.
constexpr milliseconds supervisor_end_delay{200};
/// Processes to visit in one turn of the loop: about 3 ms.
constexpr std::size_t processes_per_turn = 200;
constexpr milliseconds last_wait{2'000};

/// A job can fill its cgroup with further groups, so removal works in steps and has a time limit.
constexpr std::size_t groups_per_turn = 50;
constexpr milliseconds removal_limit{1'000};

using StartTimes = std::map<pid_t, std::uint64_t>;

/// Supervisors that run now. If one is killed from outside, its tree becomes our children: we are the next subreaper.
StartTimes& supervisors() {
    static StartTimes pids;
    return pids;
}

/// Orphans that could not be killed.
StartTimes& given_up() {
    static StartTimes pids;
    return pids;
}

/// Checks the start time, because pids are reused, and sooner when the kernel reaps our children.
bool holds(StartTimes& pids, pid_t pid, std::uint64_t start_time) {
    const auto known = pids.find(pid);
    if (known == pids.end()) return false;
    if (known->second == start_time) return true;
    pids.erase(known);
    return false;
}

/// True for a child of ours that does not belong to the tree whose supervisor started at `tree_started`: another
/// supervisor, an older child of this program, or an orphan that cannot be killed.
bool is_spared(pid_t child, std::uint64_t tree_started) {
    const auto stat = read_process_stat(child);
    const auto started = stat ? stat->start_time : 0;
    if (holds(supervisors(), child, started) || holds(given_up(), child, started)) return true;
    return stat && started < tree_started;
}

/// The read end of a pipe that contains all of `content`. A limit on file size does not apply to it, unlike to a file
/// in memory.
Result<FileDescriptor> full_pipe(std::string_view content) {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return fail("no pipe");
    FileDescriptor out(ends[0]);
    const FileDescriptor in(ends[1]);
    ::fcntl(in.get(), F_SETFL, O_NONBLOCK);
    if (content.size() > PIPE_BUF) ::fcntl(in.get(), F_SETPIPE_SZ, static_cast<int>(content.size() + PIPE_BUF));
    if (::write(in.get(), content.data(), content.size()) != static_cast<ssize_t>(content.size())) return fail("full");
    return out;
}

/// The content of COMMAND for supervise_phase.
Result<FileDescriptor> command_file(const ProcessSpec& spec) {
    WipedString content;
    if (spec.user) {
        for (const auto id : {spec.user->user, spec.user->group}) content.append(std::to_string(id)).append(" ");
        for (const auto group : spec.user->groups) content.append(std::to_string(group)).append(" ");
    }
    content += '\0';
    content += spec.command;
    content += '\0';
    for (const auto& [name, value] : spec.environment.variables()) {
        content += name;
        content += '=';
        content += value.reveal();
        content += '\0';
    }
    if (auto pipe = full_pipe(content)) return pipe;
    FileDescriptor file(::memfd_create("trebuchet-command", MFD_CLOEXEC));
    if (!file) return fail("cannot make a file in memory: " + std::system_category().message(errno));
    if (auto written = write_all(file.get(), content); !written) return fail(written.error());
    ::lseek(file.get(), 0, SEEK_SET);
    return file;
}

/// Runs in the child between fork and exec: only async-signal-safe calls.
struct ChildSetup : bp::extend::handler {
    ChildSetup(int folder_fd, std::array<int, 3> kept_fds, char** its_arguments)
        : folder(folder_fd), kept(kept_fds), arguments(its_arguments), program(supervisor_program()) {}

    template <typename Executor>
    void on_setup(Executor& executor) const {
        static std::array<char*, 1> nothing{nullptr};
        executor.env = nothing.data();
    }
    template <typename Executor>
    void on_exec_setup(Executor& executor) const {
        if (::fchdir(folder) != 0) refuse(errno);
        for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
        sigset_t none;
        sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
        for (const int fd : kept) {
            if (fd >= 0) ::fcntl(fd, F_SETFD, 0);
        }
        // If this returns, Boost executes this program as the supervisor.
        if (program >= 0) ::syscall(SYS_execveat, program, "", arguments, executor.env, AT_EMPTY_PATH);
    }

    /// Reports in the supervisor's place. Boost's own error report is no option: it is written in pieces but read as
    /// one.
    [[noreturn]] void refuse(int error) const {
        using Kind = SupervisorReport::Kind;
        for (const auto& message :
             {SupervisorReport{Kind::no_folder, error, 0}, SupervisorReport{Kind::nothing_left, 0, 0}}) {
            ::send(kept[0], &message, sizeof message, MSG_NOSIGNAL | MSG_DONTWAIT);
        }
        ::_exit(1);
    }

    int folder;
    std::array<int, 3> kept;
    char** arguments;
    int program;
};

class SupervisedProcess final : public Process {
  public:
    SupervisedProcess(EventLoop& loop, Handlers handlers)
        : loop_(loop), state_(std::make_shared<State>(loop, std::move(handlers))) {}

    ~SupervisedProcess() override { state_->abandon(); }

    void launch(const ProcessSpec& spec) {
        state_->grace = spec.kill_grace;
        if (auto started = try_launch(spec); !started) {
            loop_.post([state = state_, reason = started.error().message()] {
                state->finish(CouldNotStart{reason});
                state->finish_tree();
            });
        }
    }

    void stop() override { state_->stop(); }
    void kill(milliseconds limit) override { state_->kill(limit); }
    void pause_output() override { state_->paused = true; }
    void resume_output() override {
        if (std::exchange(state_->paused, false)) state_->read_output();
    }
    [[nodiscard]] bool is_gone() const override { return state_->gone; }
    [[nodiscard]] std::optional<ProcessIdentity> supervisor() const override {
        return state_->pid > 0 ? state_->identity : std::nullopt;
    }
    [[nodiscard]] const std::vector<Survivor>& survivors() const override { return state_->survivors; }
    [[nodiscard]] const std::string& cgroup_problem() const override { return state_->cgroup_problem; }
    [[nodiscard]] std::optional<std::chrono::microseconds> cpu_time() const override {
        return state_->cgroup ? state_->cgroup->cpu_time() : state_->cpu_time;
    }
    [[nodiscard]] LimitEvents limit_events() const override { return state_->limit_events_so_far(); }

  private:
    /// Shared with handlers that asio may still hold after the object is destroyed.
    struct State : std::enable_shared_from_this<State> {
        State(EventLoop& its_loop, Handlers callbacks)
            : loop(its_loop),
              handlers(std::move(callbacks)),
              pipe(loop.context()),
              channel(loop.context()),
              life(loop.context()),
              drain_timer(loop),
              check_timer(loop),
              takeover_timer(loop),
              limit_timer(loop),
              kill_timer(loop) {}
        ~State() = default;
        State(const State&) = delete;
        State& operator=(const State&) = delete;

        void read_output() {
            if (reading || paused || ended || !pipe.is_open()) return;
            reading = true;
            pipe.async_read_some(asio::buffer(buffer), [self = shared_from_this()](
                                                           const boost::system::error_code& error, std::size_t count) {
                self->reading = false;
                if (self->ended) return;
                if (count > 0 && self->handlers.output) self->handlers.output({self->buffer.data(), count});
                if (error) {
                    self->output_ended = true;
                    self->finish_if_drained();
                } else {
                    self->read_output();
                }
            });
        }

        void read_channel() {
            channel.async_read_some(
                asio::buffer(&message, sizeof message),
                [self = shared_from_this()](const boost::system::error_code& error, std::size_t count) {
                    if (error || count != sizeof(SupervisorReport)) {
                        self->channel_ended = true;
                        return self->supervisor_may_have_ended();
                    }
                    self->take_message();
                    self->read_channel();
                });
        }

        void take_message() {
            if (message.kind == SupervisorReport::Kind::nothing_left) {
                nothing_left = true;
            } else if (message.kind == SupervisorReport::Kind::without_cgroup) {
                tell_trouble("the command could not be put into its cgroup: " +
                             std::system_category().message(message.value));
            } else if (!reported) {
                report = message;
                command_ended();
            }
        }

        void watch_supervisor() {
            life.async_wait(asio::posix::stream_descriptor::wait_read,
                            [self = shared_from_this()](const boost::system::error_code& error) {
                                if (error) return;
                                self->life_ended = true;
                                self->supervisor_may_have_ended();
                            });
            check_supervisor();
        }

        /// A job of the same user can stop the supervisor and freeze its cgroup: undo both.
        void check_supervisor() {
            siginfo_t info{};
            const int waited = ::waitid(P_PIDFD, static_cast<id_t>(life.native_handle()), &info, WSTOPPED | WNOHANG);
            if (waited == 0 && info.si_pid != 0) {
                signal_supervisor(SIGCONT);
                tell_trouble("the command's supervisor was stopped: continued it");
            }
            if (cgroup && cgroup->thaw()) tell_trouble("the command's cgroup was frozen: thawed it");
            check_timer.start(supervisor_check, [this] { check_supervisor(); });
        }

        /// Whether the supervisor has ended; its pid may be reused then.
        [[nodiscard]] bool has_ended() {
            pollfd end{life.is_open() ? life.native_handle() : -1, POLLIN, 0};
            return ::poll(&end, 1, 0) != 0;
        }

        void signal_supervisor(int signal) {
            if (life.is_open()) ::syscall(SYS_pidfd_send_signal, life.native_handle(), signal, nullptr, 0);
        }

        void tell_trouble(const std::string& what) {
            if (!ended && handlers.troubled) handlers.troubled(what);
        }

        void command_ended() {
            reported = true;
            paused = false;
            read_output();
            if (output_ended) {
                finish_if_drained();
            } else {
                drain_timer.start(drain_time, [this] {
                    drain_now();
                    output_ended = true;
                    finish_if_drained();
                });
            }
        }

        /// Reads what is in the pipe now, without waiting.
        void drain_now() {
            boost::system::error_code error;
            pipe.cancel(error);
            pipe.non_blocking(true, error);
            for (std::size_t total = 0; !error && total < drain_limit;) {
                const auto count = pipe.read_some(asio::buffer(buffer), error);
                if (count > 0 && handlers.output) handlers.output({buffer.data(), count});
                total += count;
            }
        }

        void finish_if_drained() {
            if (!output_ended || !reported) return;
            switch (report.kind) {
                case SupervisorReport::Kind::exited:
                    finish(Exited{report.value});
                    break;
                case SupervisorReport::Kind::signalled:
                    finish(Signalled{report.value});
                    break;
                case SupervisorReport::Kind::nothing_left:
                case SupervisorReport::Kind::without_cgroup:
                    break;
                case SupervisorReport::Kind::no_folder:
                    finish(CouldNotStart{"cannot enter the folder: " + std::system_category().message(report.value)});
                    break;
                case SupervisorReport::Kind::could_not_start:
                    finish(CouldNotStart{"cannot run /bin/sh: " + std::system_category().message(report.value)});
                    break;
            }
            if (gone) tell_gone();
        }

        /// The supervisor's last messages may arrive after its end.
        void supervisor_may_have_ended() {
            if (life_ended && channel_ended) supervisor_ended();
        }

        void supervisor_ended() {
            forget_supervisor();
            if (finishing) return;
            if (nothing_left) return finish_tree();
            if (!is_killed)
                tell_trouble("the command's supervisor was killed: ending the command's remaining processes");
            if (!limit) set_limit(kill_limit);
            start_killing();
        }

        void forget_supervisor() {
            if (pid > 0) {
                ::waitpid(pid, nullptr, WNOHANG);
                supervisors().erase(pid);
            }
            pid = -1;
            boost::system::error_code ignored;
            channel.close(ignored);
            life.close(ignored);
            check_timer.stop();
            takeover_timer.stop();
        }

        void stop() {
            if (std::exchange(stopping, true) || finishing) return;
            order(SupervisorOrder::term);
            take_over_after(grace + supervisor_delay);
            set_limit(grace + kill_limit);
        }

        void kill(milliseconds within) {
            if (finishing) {
                removal_ends = std::min(removal_ends, steady_clock::now() + within);
                return;
            }
            stopping = true;
            order(SupervisorOrder::kill);
            take_over_after(std::min(kill_delay, within / 2));
            set_limit(within);
        }

        void take_over_after(milliseconds delay) {
            if (pid > 0 && !tree_kill) takeover_timer.start(delay, [this] { start_killing(); });
        }

        void set_limit(milliseconds delay) {
            const auto at = steady_clock::now() + delay;
            if (limit && *limit <= at) return;
            limit = at;
            limit_timer.start(delay, [this] { give_up(); });
        }

        /// Kills the tree below the supervisor; if the supervisor was killed, the orphans that came to us.
        void start_killing() {
            if (pid > 0 && !has_ended()) {
                tree_kill.emplace(pid);
            } else {
                const auto started = identity ? identity->start_time : 0;
                tree_kill.emplace(::getpid(), [started](pid_t child) { return is_spared(child, started); });
            }
            if (cgroup) cgroup->kill();
            go_on_killing();
        }

        void go_on_killing() {
            if (finishing || !tree_kill) return;
            switch (tree_kill->step(processes_per_turn)) {
                case TreeKill::Progress::working:
                    loop.post([self = shared_from_this()] { self->go_on_killing(); });
                    return;
                case TreeKill::Progress::empty:
                    if (!cgroup || !cgroup->is_populated()) return tree_killed();
                    [[fallthrough]];
                case TreeKill::Progress::waiting:
                    if (cgroup) cgroup->kill();
                    kill_timer.start(kill_pause, [this] { go_on_killing(); });
            }
        }

        void tree_killed() {
            tree_kill.reset();
            if (pid <= 0) return finish_tree();
            // No descendant is left: the supervisor exits now, or is killed.
            kill_timer.start(supervisor_end_delay, [this] {
                is_killed = true;
                signal_supervisor(SIGKILL);
            });
        }

        /// The supervisor keeps trying to kill the rest, and exits when that succeeds.
        void give_up() {
            if (finishing) return;
            if (tree_kill) survivors = tree_kill->survivors();
            for (const auto& survivor : survivors) given_up()[survivor.pid] = survivor.start_time;
            boost::system::error_code ignored;
            channel.close(ignored);
            finish_tree();
        }

        /// Nothing of the tree is left, or we gave up.
        void finish_tree() {
            if (std::exchange(finishing, true)) return;
            takeover_timer.stop();
            limit_timer.stop();
            kill_timer.stop();
            tree_kill.reset();
            if (!ended && !reported) {
                report = {SupervisorReport::Kind::signalled, SIGKILL, 0};
                command_ended();
            }
            if (!cgroup) return tell_gone();
            cpu_time = cgroup->cpu_time();
            limit_events = limit_events_so_far();
            removal_ends = steady_clock::now() + (survivors.empty() ? removal_limit : milliseconds(0));
            remove_cgroup();
        }

        void remove_cgroup() {
            if (!cgroup) return;
            const auto removal = cgroup->remove_some(groups_per_turn);
            const bool is_over = steady_clock::now() >= removal_ends;
            if (removal == Cgroup::Removal::done || is_over) {
                if (removal == Cgroup::Removal::working)
                    cgroup_problem = "cannot remove the cgroup " + cgroup->path().string() + " in time";
                if (removal == Cgroup::Removal::failed) cgroup_problem = cgroup->removal_problem();
                cgroup.reset();
                return tell_gone();
            }
            if (removal == Cgroup::Removal::working) {
                return loop.post([self = shared_from_this()] { self->remove_cgroup(); });
            }
            kill_timer.start(kill_pause, [this] { remove_cgroup(); });
        }

        void tell_gone() {
            gone = true;
            if (!ended) return;  // finish_if_drained() calls this again
            if (const auto handler = std::exchange(handlers.gone, nullptr)) handler();
        }

        void finish(const ProcessEnd& end) {
            if (std::exchange(ended, true)) return;
            drain_timer.stop();
            boost::system::error_code ignored;
            pipe.close(ignored);
            if (handlers.ended) handlers.ended(end, static_cast<std::size_t>(report.left));
        }

        void order(SupervisorOrder what) {
            signal_supervisor(SIGCONT);
            const auto byte = static_cast<char>(what);
            if (channel.is_open()) ::send(channel.native_handle(), &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        }

        /// Calls no handler any more. Blocks until the supervisor has ended, at most `last_wait`.
        void abandon() {
            handlers = {};
            if (pid > 0 && !finishing) {
                order(SupervisorOrder::kill);
                if (cgroup) cgroup->kill();
                pollfd end{life.native_handle(), POLLIN, 0};
                ::poll(&end, 1, static_cast<int>(last_wait.count()));
                forget_supervisor();
            }
            if (cgroup) cgroup->remove_some(groups_per_turn);
            cgroup.reset();
            finishing = true;
            gone = true;
            limit_timer.stop();
            kill_timer.stop();
        }

        [[nodiscard]] LimitEvents limit_events_so_far() const {
            if (!cgroup) return limit_events;
            const auto now = cgroup->limit_events();
            return {now.oom_kills - std::min(now.oom_kills, former_events.oom_kills),
                    now.refused_forks - std::min(now.refused_forks, former_events.refused_forks)};
        }

        void make_cgroup(const ProcessSpec& spec) {
            if (spec.cgroup.empty() || !Cgroup::is_available()) return;
            auto made = Cgroup::make(spec.cgroup);
            if (!made) return tell_later("the command has no cgroup of its own: " + made.error().message());
            cgroup = std::move(*made);
            former_events = cgroup->limit_events();
            if (!spec.limits.any()) return;
            if (auto limited = cgroup->limit(spec.limits); !limited) tell_later(limited.error().message());
        }

        /// Reports after start() has returned.
        void tell_later(const std::string& what) {
            loop.post([self = shared_from_this(), what] { self->tell_trouble(what); });
        }

        EventLoop& loop;
        Handlers handlers;
        milliseconds grace{0};
        asio::posix::stream_descriptor pipe;
        asio::posix::stream_descriptor channel;
        asio::posix::stream_descriptor life;  ///< the supervisor's pidfd
        std::optional<Cgroup> cgroup;
        Timer drain_timer;
        Timer check_timer;
        Timer takeover_timer;
        Timer limit_timer;
        Timer kill_timer;
        SupervisorReport message;
        SupervisorReport report;
        /// Unmasked output.
        std::vector<char, WipingAllocator<char>> buffer = std::vector<char, WipingAllocator<char>>(65536);
        pid_t pid = -1;                           ///< the supervisor's, while it lives
        std::optional<ProcessIdentity> identity;  ///< the supervisor's
        std::optional<TreeKill> tree_kill;
        std::optional<steady_clock::time_point> limit;  ///< when to give up
        std::vector<Survivor> survivors;
        std::optional<std::chrono::microseconds> cpu_time;
        LimitEvents former_events;  ///< before this phase: of the job's earlier phases
        LimitEvents limit_events;
        steady_clock::time_point removal_ends;
        std::string cgroup_problem;
        bool reading = false;
        bool paused = false;
        bool reported = false;
        bool output_ended = false;
        bool ended = false;
        bool stopping = false;
        bool nothing_left = false;
        bool channel_ended = false;
        bool life_ended = false;
        bool is_killed = false;  ///< we have killed the supervisor
        bool finishing = false;  ///< only the cgroup is left
        bool gone = false;
    };

    Result<void> try_launch(const ProcessSpec& spec) {
        const FileDescriptor folder(::open(spec.folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (!folder)
            return fail("cannot use the folder " + spec.folder.string() + ": " + std::system_category().message(errno));
        std::array<int, 2> ends{};
        if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
            return fail("cannot make a socket pair: " + std::system_category().message(errno));
        }
        state_->channel.assign(ends[0]);
        const FileDescriptor child_end(ends[1]);
        const auto command = command_file(spec);
        if (!command) return fail(command.error());
        state_->make_cgroup(spec);
        const int cgroup = state_->cgroup ? state_->cgroup->folder() : -1;
        std::vector<std::string> arguments{
            supervisor_flag,        std::to_string(child_end.get()),         std::to_string(command->get()),
            std::to_string(cgroup), std::to_string(spec.kill_grace.count()), spec.title};
        std::string name = "trebuchet-supervisor";
        std::vector<char*> pointers{name.data()};
        for (auto& argument : arguments) pointers.push_back(argument.data());
        pointers.push_back(nullptr);
        try {
            bp::async_pipe pipe(loop_.context());
            bp::child supervisor(bp::exe = "/proc/self/exe", bp::args = arguments, (bp::std_out & bp::std_err) > pipe,
                                 bp::std_in < bp::null,
                                 ChildSetup(folder.get(), {child_end.get(), command->get(), cgroup}, pointers.data()));
            state_->pid = supervisor.id();
            state_->identity = identity_of(state_->pid);
            supervisors()[state_->pid] = state_->identity ? state_->identity->start_time : 0;
            supervisor.detach();
            state_->pipe = std::move(pipe).source();
        } catch (const std::exception& error) {
            return fail(std::string("cannot start a supervisor for the command: ") + error.what());
        }
        state_->read_output();
        state_->read_channel();
        if (const auto life = static_cast<int>(::syscall(SYS_pidfd_open, state_->pid, 0)); life >= 0) {
            state_->life.assign(life);
            state_->watch_supervisor();
        } else {
            loop_.post([state = state_] {
                state->life_ended = true;
                state->supervisor_may_have_ended();
            });
        }
        return {};
    }

    EventLoop& loop_;
    std::shared_ptr<State> state_;
};

}  // namespace

std::unique_ptr<Process> Process::start(EventLoop& loop, const ProcessSpec& spec, Handlers handlers) {
    auto process = std::make_unique<SupervisedProcess>(loop, std::move(handlers));
    process->launch(spec);
    return process;
}

void adopt_orphans() {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
    struct sigaction reaped_by_kernel {};
    reaped_by_kernel.sa_handler = SIG_DFL;
    reaped_by_kernel.sa_flags = SA_NOCLDWAIT;
    ::sigaction(SIGCHLD, &reaped_by_kernel, nullptr);
}

}  // namespace trebuchet
