#include "common/file/safe_file.hpp"
#include "common/process/process.hpp"
#include "common/process/process_tree.hpp"
#include "common/process/supervisor.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/socket.h>
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

/// How long output is awaited after the command's end while a descendant still holds the pipe.
constexpr std::chrono::milliseconds drain_time{300};
/// What is read at most after that: a full pipe (pipe(7)).
constexpr std::size_t drain_limit = 1U << 20;

/// Supervisors that run now. A supervisor killed from outside leaves its tree to us, as its nearest subreaper: what is
/// our child and not in here is such an orphan.
std::set<pid_t>& supervisors() {
    static std::set<pid_t> pids;
    return pids;
}

void kill_orphans() {
    for (const pid_t pid : descendants_of(::getpid())) {
        if (::waitpid(pid, nullptr, WNOHANG) < 0) continue;  // not a child of ours
        if (supervisors().contains(pid)) continue;
        signal_descendants(pid, SIGKILL);
        ::kill(pid, SIGKILL);
        ::waitpid(pid, nullptr, 0);
    }
}

/// What happens in the child between fork and exec: async-signal-safe calls only.
struct ChildSetup : bp::extend::handler {
    ChildSetup(int folder_fd, int channel_fd, char** environment_block)
        : folder(folder_fd), channel(channel_fd), environment(environment_block) {}

    template <typename Executor>
    void on_setup(Executor& executor) const {
        executor.env = environment;
    }
    template <typename Executor>
    void on_exec_setup(Executor& executor) const {
        if (::fchdir(folder) != 0) executor.set_error(bp::detail::get_last_error(), "fchdir");
        for (int signal = 1; signal < NSIG; ++signal) ::signal(signal, SIG_DFL);
        sigset_t none;
        sigemptyset(&none);
        ::sigprocmask(SIG_SETMASK, &none, nullptr);
        ::close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
        ::fcntl(channel, F_SETFD, 0);
    }

    int folder;
    int channel;
    char** environment;
};

class SupervisedProcess final : public Process {
  public:
    SupervisedProcess(EventLoop& loop, Handlers handlers)
        : loop_(loop), state_(std::make_shared<State>(loop, std::move(handlers))) {}

    ~SupervisedProcess() override {
        state_->handlers = {};
        if (state_->pid <= 0) return;
        kill();
        state_->collect();
    }

    void launch(const ProcessSpec& spec) {
        if (auto started = try_launch(spec); !started) {
            loop_.post([state = state_, reason = started.error().message()] {
                state->finish(CouldNotStart{reason});
                state->finish_tree();
            });
        }
    }

    void stop() override { state_->order(SupervisorOrder::term); }
    void kill() override { state_->order(SupervisorOrder::kill); }
    void pause_output() override { state_->paused = true; }
    void resume_output() override {
        if (std::exchange(state_->paused, false)) state_->read_output();
    }
    [[nodiscard]] bool is_gone() const override { return state_->gone; }
    [[nodiscard]] std::optional<ProcessIdentity> supervisor() const override {
        return state_->pid > 0 ? identity_of(state_->pid) : std::nullopt;
    }

  private:
    /// Shared with the handlers that asio still holds when the object is gone.
    struct State : std::enable_shared_from_this<State> {
        State(EventLoop& loop, Handlers callbacks)
            : handlers(std::move(callbacks)), pipe(loop.context()), channel(loop.context()), drain_timer(loop) {}
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
                asio::buffer(&report, sizeof report),
                [self = shared_from_this()](const boost::system::error_code& error, std::size_t count) {
                    if (!error && count == sizeof(SupervisorReport)) {
                        self->command_ended();
                        self->read_channel();
                    } else if (error != asio::error::operation_aborted) {
                        self->supervisor_ended();
                    }
                });
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

        /// Reads what stands in the pipe now, without waiting.
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
                case SupervisorReport::Kind::could_not_start:
                    finish(CouldNotStart{"can't run /bin/sh: " + std::system_category().message(report.value)});
                    break;
            }
            if (gone) finish_tree();
        }

        void supervisor_ended() {
            collect();
            if (!reported) {  // it was killed from outside
                kill_orphans();
                report = {SupervisorReport::Kind::signalled, SIGKILL, 0};
                command_ended();
            }
            if (ended) finish_tree();
        }

        void collect() {
            if (pid > 0) {
                while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) continue;
                supervisors().erase(pid);
            }
            pid = -1;
            gone = true;
            boost::system::error_code ignored;
            channel.close(ignored);
        }

        void finish(const ProcessEnd& end) {
            if (std::exchange(ended, true)) return;
            drain_timer.stop();
            boost::system::error_code ignored;
            pipe.close(ignored);
            if (handlers.ended) handlers.ended(end, static_cast<std::size_t>(report.left));
        }

        void finish_tree() {
            gone = true;
            if (const auto handler = std::exchange(handlers.gone, nullptr)) handler();
        }

        void order(SupervisorOrder what) {
            const auto byte = static_cast<char>(what);
            if (channel.is_open()) ::send(channel.native_handle(), &byte, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
        }

        Handlers handlers;
        asio::posix::stream_descriptor pipe;
        asio::posix::stream_descriptor channel;
        Timer drain_timer;
        SupervisorReport report;
        /// Output before it is masked.
        std::vector<char, WipingAllocator<char>> buffer = std::vector<char, WipingAllocator<char>>(65536);
        pid_t pid = -1;
        bool reading = false;
        bool paused = false;
        bool reported = false;
        bool output_ended = false;
        bool ended = false;
        bool gone = false;
    };

    Result<void> try_launch(const ProcessSpec& spec) {
        const FileDescriptor folder(::open(spec.folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
        if (!folder)
            return fail("can't use the folder " + spec.folder.string() + ": " + std::system_category().message(errno));
        std::array<int, 2> ends{};
        if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
            return fail("can't make a socket pair: " + std::system_category().message(errno));
        }
        state_->channel.assign(ends[0]);
        const FileDescriptor child_end(ends[1]);
        EnvironmentBlock environment(spec.environment);
        try {
            bp::async_pipe pipe(loop_.context());
            bp::child supervisor(bp::exe = "/proc/self/exe",
                                 bp::args = {supervisor_flag, std::to_string(child_end.get()),
                                             std::to_string(spec.kill_grace.count()), spec.command, spec.title},
                                 (bp::std_out & bp::std_err) > pipe, bp::std_in < bp::null,
                                 ChildSetup(folder.get(), child_end.get(), environment.data()));
            state_->pid = supervisor.id();
            supervisors().insert(state_->pid);
            supervisor.detach();
            state_->pipe = std::move(pipe).source();
        } catch (const std::exception& error) {
            return fail(std::string("can't start a supervisor for the command: ") + error.what());
        }
        state_->read_output();
        state_->read_channel();
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

}  // namespace trebuchet
