#include "agent/cli/supervise_command.hpp"

#include "agent/cli/exit_codes.hpp"
#include "agent/host/agent_program.hpp"
#include "agent/host/host_status.hpp"
#include "agent/metrics/agent_status.hpp"
#include "agent/metrics/status_file.hpp"
#include "common/base/text.hpp"
#include "common/file/lock_file.hpp"
#include "common/file/safe_file.hpp"
#include "common/log/log.hpp"
#include "common/process/cgroup.hpp"
#include "common/service/service_folder.hpp"
#include "common/service/service_manager.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <map>
#include <optional>
#include <random>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// While the agents stop, the service manager is asked every `patience_pause` for another `patience` of time.
constexpr seconds patience_pause{10};
constexpr seconds patience{30};

/// The folder where the agents show their status; "": each where it does by itself.
fs::path status_folder_of(const SuperviseOptions& options) {
    if (!options.status_folder.empty()) return options.status_folder;
    const auto made_by_unit = fs::path(default_status_folder) / host_status_folder;
    return ::access(made_by_unit.c_str(), W_OK) == 0 ? made_by_unit : fs::path();
}

AgentProgram program_of(const SuperviseOptions& options) {
    std::error_code ignored;
    return {options.program.empty() ? own_program() : options.program,
            fs::absolute(options.tree, ignored),
            options.token_file,
            status_folder_of(options),
            service_folder(std::getenv("STATE_DIRECTORY")),
            service_folder(std::getenv("RUNTIME_DIRECTORY"))};
}

using Ports = std::map<std::string, std::uint16_t>;

Result<Ports> ports_of(const std::vector<std::string>& options) {
    Ports ports;
    for (const auto& text : options) {
        const auto equals = text.rfind('=');
        const auto* end = text.data() + text.size();
        std::uint16_t number = 0;
        const auto* first = equals == std::string::npos ? end : text.data() + equals + 1;
        const auto [rest, error] = std::from_chars(first, end, number);
        if (error != std::errc() || rest != end || number == 0 || equals == 0) {
            return fail("--port: found " + trebuchet::quoted(text) + ", expected AGENT_ID=PORT, such as rpi4-1=9100");
        }
        ports[text.substr(0, equals)] = number;
    }
    return ports;
}

void put_ports(const Ports& ports, AgentTree& tree) {
    for (auto& agent : tree.agents) {
        const auto port = ports.find(agent.agent_id);
        if (port != ports.end()) agent.metrics_port = port->second;
    }
}

class Supervisor {
  public:
    Supervisor(const SuperviseOptions& options, const AgentProgram& program, Ports ports)
        : options_(options),
          program_(program),
          ports_(std::move(ports)),
          service_(loop_, ServiceSettings::from_environment()),
          host_({clock_, agent_starter(loop_, program), [this] { return std::generate_canonical<double, 53>(random_); },
                 [this] { wake(); }, options.removal_grace}),
          due_timer_(loop_),
          program_timer_(loop_),
          patience_timer_(loop_),
          watch_(loop_, clock_, program.tree, options.times, [this] { read_tree(); }),
          signals_(loop_, {SIGTERM, SIGINT, SIGHUP, SIGUSR1}, [this](int signal) { take(signal); }) {}

    int run() {
        look_at_program();
        watch_.settle();
        service_.ready();
        loop_.run_until([this] { return host_.is_over(); });
        show();
        log_info("stopped");
        return 0;
    }

  private:
    /// Later, on the loop: the host may be in the middle of something.
    void wake() {
        if (!std::exchange(is_woken_, true)) loop_.post([this] { tick(); });
    }

    void tick() {
        is_woken_ = false;
        host_.tick();
        if (const auto due = host_.next_due()) {
            const auto wait = std::chrono::ceil<milliseconds>(*due - clock_.now());
            due_timer_.start(std::clamp<milliseconds>(wait, milliseconds(1), seconds(60)), [this] { tick(); });
        }
        show();
    }

    void read_tree() {
        auto tree = read_agent_tree(program_.tree, tree_);
        if (tree) {
            put_ports(ports_, *tree);
            if (!tree->empty()) tree_ = *tree;
        }
        host_.take_tree(tree);
    }

    void look_at_program() {
        const auto seen = version_on_disk(program_.program);
        if (!program_seen_ || *program_seen_ == seen) host_.program_is(seen);
        program_seen_ = seen;
        program_timer_.start(options_.program_pause, [this] { look_at_program(); });
    }

    void take(int signal) {
        switch (signal) {
            case SIGHUP:
                log_info("SIGHUP: reading the folder again");
                service_.reloading();
                watch_.settle();
                service_.ready();
                break;
            case SIGUSR1:
                log_info("SIGUSR1: restarting each agent when no job of it runs");
                host_.restart_all();
                break;
            default:
                log_info(signal == SIGTERM ? "stopping all agents on SIGTERM" : "stopping all agents on SIGINT");
                service_.stopping();
                ask_for_patience();
                host_.stop();
        }
    }

    /// Each agent's stop has a limit, except where the configuration lets its job finish.
    void ask_for_patience() {
        service_.extend_timeout(patience);
        patience_timer_.start(patience_pause, [this] { ask_for_patience(); });
    }

    /// To the service manager, and to `trebuchet-agent status`.
    void show() {
        const auto reports = host_.reports();
        const auto wrong = std::count_if(reports.begin(), reports.end(), [](const auto& one) { return one.pid == 0; });
        service_.status(std::to_string(host_.running()) + " agents run" +
                        (wrong > 0 && !host_.is_stopping() ? ", " + std::to_string(wrong) + " do not" : "") +
                        (host_.problem().empty() ? "" : "; " + host_.problem()));
        if (program_.status_folder.empty()) return;
        auto text = host_status_json({identity_.pid, identity_.start_time, host_.problem(), reports});
        if (text == shown_) return;
        const auto written = write_for_group(program_.status_folder / host_status_file, text);
        if (!written && shown_.empty()) log_warning("the status is not shown: " + written.error().message());
        shown_ = std::move(text);
    }

    const SuperviseOptions& options_;
    AgentProgram program_;
    Ports ports_;
    EventLoop loop_;
    SystemClock clock_;
    ServiceManager service_;
    std::mt19937_64 random_{std::random_device{}()};
    AgentHost host_;
    Timer due_timer_;
    Timer program_timer_;
    Timer patience_timer_;
    TreeWatch watch_;
    AgentTree tree_;  ///< as last read
    std::optional<ProgramVersion> program_seen_;
    ProcessIdentity identity_ = identity_of(::getpid()).value_or(ProcessIdentity{});
    std::string shown_;
    bool is_woken_ = false;
    SignalWatcher signals_;
};

int refuse(int code, const Error& reason) {
    std::cerr << "trebuchet-agent supervise: " << reason.message() << '\n';
    return code;
}

/// It may be away just now, while it is replaced; for a service its parent, too, such as a mount that comes later. A
/// person is told of a folder that is not there.
bool may_be_tree(const fs::path& tree) {
    std::error_code error;
    const auto kind = fs::status(tree, error).type();
    if (kind == fs::file_type::directory) return true;
    if (kind != fs::file_type::not_found && kind != fs::file_type::none && kind != fs::file_type::unknown) return false;
    return std::getenv("NOTIFY_SOCKET") != nullptr ||
           fs::is_directory(fs::absolute(tree, error).lexically_normal().parent_path(), error);
}

/// To lock it: a file in a checkout of git would be a change. Nothing if it is away.
FileDescriptor open_folder(const fs::path& folder) {
    return FileDescriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

/// The agents' own limits need controllers, which only a group without processes can hand down.
void hand_down_controllers() {
    if (!Cgroup::is_own()) return;
    for (const auto& limits : {CgroupLimits{1, 0}, CgroupLimits{0, 1}}) {
        if (auto enabled = Cgroup::enable_limits(limits); !enabled) log_info(enabled.error().message());
    }
}

}  // namespace

int supervise_command(const SuperviseOptions& options) {
    keep_exit_codes();
    if (!may_be_tree(options.tree)) {
        return refuse(exit_usage, Error("found no folder " + options.tree.string() +
                                        ", expected one with a folder for each agent and its testflinger-agent.conf"));
    }
    auto ports = ports_of(options.ports);
    if (!ports) return refuse(exit_usage, ports.error());
    LogOptions log;
    set_log_field("SYSLOG_IDENTIFIER", "trebuchet-supervise");
    if (auto ready = set_up_log(log); !ready) return refuse(exit_usage, ready.error());
    const auto program = program_of(options);
    std::optional<LockFile> lock;
    for (const auto& folder : {program.state, program.runtime, program.status_folder}) {
        if (folder.empty()) continue;
        if (auto made = make_folder(folder); !made) return refuse(exit_usage, made.error());
    }
    if (!program.state.empty()) {
        auto taken = LockFile::take(program.state / supervise_lock);
        if (!taken) return refuse(taken.error().is_held ? exit_busy : exit_usage, taken.error().reason);
        lock = std::move(*taken);
    }
    const auto tree_lock = program.state.empty() ? open_folder(program.tree) : FileDescriptor();
    if (tree_lock && ::flock(tree_lock.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        return refuse(exit_busy, Error("another process supervises " + program.tree.string() + ": stop it first"));
    }
    hand_down_controllers();
    return Supervisor(options, program, std::move(*ports)).run();
}

}  // namespace trebuchet
