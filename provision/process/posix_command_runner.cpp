#include "provision/process/posix_command_runner.hpp"

#include "provision/process/exit_codes.hpp"
#include "provision/process/spawn.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

/// Waits until `process` has exited (true), or until `interrupt` is readable or the deadline has passed (false). -1: no
/// interrupt.
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

/// Died of a stop signal, or exited as a shell or ssh does when its command dies of one.
bool died_of_stop_signal(const CommandEnd& end) {
    const int code = exit_code(end);
    return code == exit_ssh_failed || code == exit_by_signal(SIGTERM) || code == exit_by_signal(SIGINT) ||
           code == exit_by_signal(SIGHUP);
}

CommandEnd reap(pid_t pid) {
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR) return CommandNotStarted{errno};
    }
    if (WIFSIGNALED(status)) return CommandKilled{WTERMSIG(status)};
    return CommandExited{WEXITSTATUS(status)};
}

/// Waits for the rest of a group whose leader was reaped, such as a process forked while the group got SIGTERM, and
/// kills it at `kill_time`. The kernel does not reuse the group's ID while the group has a member.
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

FileDescriptor process_of(pid_t pid) {
    FileDescriptor process(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
    if (!process) throw std::system_error(errno, std::system_category(), "pidfd_open");
    return process;
}

CommandEnd stop_group(pid_t leader, const FileDescriptor& process, milliseconds grace) {
    const auto kill_time = steady_clock::now() + grace;
    ::kill(-leader, SIGTERM);
    if (!wait_for_end(process, -1, kill_time)) ::kill(-leader, SIGKILL);
    const auto end = reap(leader);
    end_group(leader, kill_time);
    return end;
}

}  // namespace

PosixCommandRunner::PosixCommandRunner(SignalInterrupt& interrupt, milliseconds grace, milliseconds signal_delay)
    : interrupt_(&interrupt), grace_(grace), signal_delay_(signal_delay) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
}

PosixCommandRunner::~PosixCommandRunner() = default;

CommandResult PosixCommandRunner::run(const Command& command) {
    const int interrupt = command.ignore_stop_signal ? -1 : interrupt_->fd();
    if (!command.ignore_stop_signal) {
        if (const int signal = interrupt_->wait_for(milliseconds::zero()); signal != 0) {
            return {CommandInterrupted{signal}, {}};
        }
    }
    // A file in memory instead of a pipe, which would block us if the command does not read it.
    FileDescriptor input;
    if (command.input) {
        auto file = memory_file(*command.input);
        if (!file) return {CommandNotStarted{file.error()}, {}};
        input = std::move(*file);
    }
    Captured output;
    Captured errors;
    ChildFiles files{input ? input.get() : command.input_fd, command.output_fd, -1};
    if (command.capture_output) {
        auto opened = CapturedOutput::open(command.output_limit);
        if (!opened) return {CommandNotStarted{opened.error()}, {}};
        output = std::move(*opened);
        files.errors = output->write_end().get();
        if (files.output < 0) files.output = files.errors;
    }
    if (command.capture_output && command.errors_apart) {
        auto opened = CapturedOutput::open(Command::usual_output_limit);
        if (!opened) return {CommandNotStarted{opened.error()}, {}};
        errors = std::move(*opened);
        files.errors = errors->write_end().get();
    }
    pid_t pid = -1;
    if (const int error = spawn(command, files, pid); error != 0) {
        return {CommandNotStarted{error}, {}};
    }
    for (auto* captured : {output.get(), errors.get()}) {
        if (captured != nullptr) captured->write_end() = FileDescriptor();
    }
    const auto process = process_of(pid);
    std::optional<steady_clock::time_point> deadline;
    if (command.timeout) deadline = steady_clock::now() + *command.timeout;

    CommandEnd end = CommandTimedOut{};
    if (wait_for_end(process, interrupt, deadline)) {
        end = reap(pid);
        const bool may_be_stopped = !command.ignore_stop_signal && died_of_stop_signal(end);
        if (const int signal = may_be_stopped ? interrupt_->wait_for(signal_delay_) : 0; signal != 0) {
            end = CommandInterrupted{signal};
        }
    } else {
        const int signal = command.ignore_stop_signal ? 0 : interrupt_->wait_for(milliseconds::zero());
        if (signal != 0) end = CommandInterrupted{signal};
        stop_group(pid, process, grace_);
    }
    return {end, text_of(std::move(output)), text_of(std::move(errors))};
}

std::string PosixCommandRunner::text_of(Captured output) {
    if (output == nullptr) return {};
    auto text = output->take();
    if (!output->has_ended()) keep(std::move(output));
    return text;
}

void PosixCommandRunner::keep(Captured output) {
    still_open_.erase(std::remove_if(still_open_.begin(), still_open_.end(),
                                     [](const Captured& other) { return other->has_ended(); }),
                      still_open_.end());
    if (still_open_.size() >= most_still_open) still_open_.erase(still_open_.begin());
    still_open_.push_back(std::move(output));
}

class PosixCommandRunner::Running final : public RunningCommand {
  public:
    Running(pid_t pid, FileDescriptor pipe, Captured output, milliseconds grace, PosixCommandRunner& runner)
        : pid_(pid),
          process_(process_of(pid)),
          pipe_(std::move(pipe)),
          output_(std::move(output)),
          grace_(grace),
          runner_(&runner) {}
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    ~Running() override { stop_group_once(); }

    FileDescriptor take_pipe() override { return std::move(pipe_); }

    bool wait_for(milliseconds time) override { return end_ || wait_for_end(process_, -1, steady_clock::now() + time); }

    CommandResult stop() override {
        stop_group_once();
        if (output_) text_ = runner_->text_of(std::move(output_));
        return {*end_, text_};
    }

  private:
    void stop_group_once() {
        if (end_) return;
        if (wait_for(milliseconds::zero())) {
            end_ = reap(pid_);
        } else {
            end_ = stop_group(pid_, process_, grace_);
        }
    }

    pid_t pid_;
    FileDescriptor process_;
    FileDescriptor pipe_;
    Captured output_;
    milliseconds grace_;
    PosixCommandRunner* runner_;
    std::string text_;
    std::optional<CommandEnd> end_;
};

tl::expected<std::unique_ptr<RunningCommand>, CommandEnd> PosixCommandRunner::start(const Command& command,
                                                                                    Piped piped) {
    if (!command.ignore_stop_signal) {
        if (const int signal = interrupt_->wait_for(milliseconds::zero()); signal != 0) {
            return tl::unexpected<CommandEnd>(CommandInterrupted{signal});
        }
    }
    auto output = CapturedOutput::open(Command::usual_output_limit);
    if (!output) return tl::unexpected<CommandEnd>(CommandNotStarted{output.error()});
    auto input = memory_file(command.input.value_or(std::string_view()));
    if (!input) return tl::unexpected<CommandEnd>(CommandNotStarted{input.error()});
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return tl::unexpected<CommandEnd>(CommandNotStarted{errno});
    FileDescriptor read_end(ends[0]);
    FileDescriptor write_end(ends[1]);
    // May fail: the kernel limits the total pipe size of unprivileged users.
    ::fcntl(read_end.get(), F_SETPIPE_SZ, 1024 * 1024);

    pid_t pid = -1;
    const int captured = (*output)->write_end().get();
    const auto files = piped == Piped::input ? ChildFiles{read_end.get(), captured, captured}
                                             : ChildFiles{input->get(), write_end.get(), captured};
    if (const int error = spawn(command, files, pid); error != 0) {
        return tl::unexpected<CommandEnd>(CommandNotStarted{error});
    }
    (*output)->write_end() = FileDescriptor();
    auto& ours = piped == Piped::input ? write_end : read_end;
    return std::make_unique<Running>(pid, std::move(ours), std::move(*output), grace_, *this);
}

}  // namespace trebuchet
