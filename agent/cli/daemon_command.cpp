#include "agent/cli/daemon_command.hpp"

#include "agent/api/http_job_server.hpp"
#include "agent/cli/exit_codes.hpp"
#include "agent/cli/host_check.hpp"
#include "agent/cli/own_secret_files.hpp"
#include "agent/cli/server_login.hpp"
#include "agent/cli/vault_access.hpp"
#include "agent/config/load_config.hpp"
#include "agent/config/mask_options.hpp"
#include "agent/config/stop_limit.hpp"
#include "agent/config/vault_environment.hpp"
#include "agent/daemon/agent_folders.hpp"
#include "agent/daemon/daemon.hpp"
#include "agent/daemon/disk_space.hpp"
#include "agent/daemon/guards.hpp"
#include "agent/job/job_limits.hpp"
#include "agent/job/run_folder.hpp"
#include "agent/metrics/metrics_endpoint.hpp"
#include "agent/metrics/status_file.hpp"
#include "agent/metrics/status_page.hpp"
#include "common/base/version.hpp"
#include "common/event/loop_lag.hpp"
#include "common/file/lock_file.hpp"
#include "common/http/origin.hpp"
#include "common/log/log.hpp"
#include "common/process/process_tree.hpp"
#include "common/service/service_manager.hpp"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <limits>
#include <memory>
#include <optional>
#include <random>
#include <system_error>
#include <utility>

#include <unistd.h>

namespace trebuchet {
namespace {

/// While the agent stops, it asks the service manager every `patience_pause` for another `patience` of time.
constexpr std::chrono::seconds patience_pause{10};
constexpr std::chrono::seconds patience{30};
/// Minimum free space, in bytes, of the folder for the job's secrets.
constexpr std::uint64_t least_in_memory = std::uint64_t{1} << 20U;

constexpr std::chrono::minutes endpoint_pause{1};

Result<void> open_log(const Config& config) {
    LogOptions log;
    log.level = log_level(config.logging_level).value_or(LogLevel::info);
    log.quiet = config.logging_quiet;
    log.folder = config.logging_basedir;
    log.format = config.trebuchet.log_json ? LogFormat::json : LogFormat::text;
    set_log_field("AGENT_ID", config.agent_id);
    if (!config.identifier.empty()) set_log_field("DEVICE", config.identifier);
    set_log_field("SYSLOG_IDENTIFIER", "trebuchet-agent");
    return set_up_log(log);
}

/// The daemon with one configuration, until a stop, a restart or the next configuration.
struct AgentInstance {
    Config config;
    std::filesystem::path state;
    LockFile lock;  ///< in `state`
    std::filesystem::path secret_base;
    std::optional<PhaseUser> phase_user;
    std::unique_ptr<HttpClient> http;
    Credentials login;
};

GuardLimits guard_limits(const AgentInstance& instance) {
    const auto least = instance.config.trebuchet.min_free_disk;
    return {{{instance.config.execution_basedir, least},
             {instance.config.results_basedir, least},
             {instance.state, least},
             {instance.secret_base, std::min(least, least_in_memory)}},
            instance.config.trebuchet.spool.limit};
}

GuardProbes guard_probes(const AgentInstance& instance, const ApiClient& api) {
    GuardProbes probes;
    // Artifacts are not counted: a server that never accepts a large one must not keep the agent from working.
    const std::vector<std::string> spools{std::string(output_spool_name) + ".", std::string(serial_spool_name) + "."};
    probes.undelivered = [=, jobs = instance.state / "jobs", limit = instance.config.trebuchet.spool.limit] {
        return bytes_below(jobs, spools, limit);
    };
    probes.token_problem = [&] { return api.token_problem(); };
    probes.server_is_ahead = [&] { return api.server_is_ahead(); };
    return probes;
}

/// As whom phases run: can this agent do that, and can that user reach the folders?
Result<std::optional<PhaseUser>> phase_user_of(const Config& config, const std::filesystem::path& secret_base) {
    if (config.trebuchet.phase_user.empty()) return std::optional<PhaseUser>();
    auto user = find_phase_user(config.trebuchet.phase_user);
    if (!user) return fail(user.error());
    if (auto able = prepare_for_phase_user(*user); !able) return fail(able.error());
    for (const auto& folder : {config.execution_basedir, secret_base}) {
        if (auto open = let_pass(folder, user->ids); !open) return fail(open.error());
    }
    return std::optional(std::move(*user));
}

/// Who this agent is, for its status file.
AgentStatus identity(const Config& config) {
    AgentStatus status;
    status.agent_id = config.agent_id;
    status.version = version;
    status.server = config.server_address;
    status.queues = config.job_queues;
    status.pid = ::getpid();
    if (const auto stat = read_process_stat(status.pid)) status.start_time = stat->start_time;
    return status;
}

/// Bytes of logs and artifacts below a folder of jobs that the server has not confirmed.
std::uint64_t undelivered_below(const std::filesystem::path& jobs) {
    static const std::vector<std::string> kept{std::string(output_spool_name) + ".",
                                               std::string(serial_spool_name) + ".", "artifacts"};
    return bytes_below(jobs, kept, std::numeric_limits<std::uint64_t>::max());
}

std::vector<ShownDisk> disks_of(const AgentInstance& instance) {
    std::vector<ShownDisk> disks;
    for (const auto& folder : {instance.config.execution_basedir, instance.state}) {
        const auto space = disk_space(folder);
        disks.push_back({folder.string(), space ? std::optional(space->bytes) : std::nullopt});
    }
    return disks;
}

struct Refusal {
    int exit_code;
    Error reason;
};

class Program {
  public:
    explicit Program(const DaemonOptions& options)
        : options_(options),
          service_(loop_, ServiceSettings::from_environment()),
          patience_timer_(loop_),
          endpoint_timer_(loop_),
          signals_(loop_, {SIGTERM, SIGINT, SIGHUP, SIGUSR1}, [this](int signal) { take(signal); }) {}

    ~Program() { observe_log(LogLevel::critical, nullptr); }
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    int run(const LoadedConfig& first) {
        observe_log(LogLevel::warning,
                    [this](const MaskedChunk& text) { loop_.post([this, text] { board_->error(text); }); });
        auto instance = prepare(first.config, std::nullopt);
        for (const auto& warning : first.warnings) log_warning(warning.message());
        while (instance) {
            const auto end = run_daemon(*instance);
            if (end != DaemonEnd::reload || !next_) {
                log_info("stopped");
                return end == DaemonEnd::restart ? 1 : 0;
            }
            const auto next = *std::exchange(next_, std::nullopt);
            instance = prepare(next, std::move(*instance));
        }
        std::cerr << "trebuchet-agent: " << instance.error().reason.message() << '\n';
        return instance.error().exit_code;
    }

  private:
    /// `former` has the lock. The agent continues with it if the new configuration cannot be used.
    tl::expected<AgentInstance, Refusal> prepare(const Config& config, std::optional<AgentInstance> former) {
        auto instance = make(config, former);
        if (instance || !former) return instance;
        log_error("continuing with the previous configuration: " + instance.error().reason.message());
        static_cast<void>(open_log(former->config));
        auto http = HttpClient::make(loop_, http_options(former->config));
        if (!http) return tl::unexpected(Refusal{exit_usage, http.error()});
        former->http = std::move(*http);
        return std::move(*former);
    }

    tl::expected<AgentInstance, Refusal> make(const Config& config, std::optional<AgentInstance>& former) {
        const auto refuse = [](const Error& why) { return tl::unexpected(Refusal{exit_usage, why}); };
        const auto state = state_folder(config.agent_id);
        if (!state) return refuse(state.error());
        std::optional<LockFile> lock;
        if (!former || former->state != *state) {
            auto taken = LockFile::take(*state / "lock");
            if (!taken) {
                const auto& refusal = taken.error();
                if (!refusal.is_held) return refuse(refusal.reason);
                return tl::unexpected(Refusal{
                    exit_busy, refusal.reason.with_context("another process already serves " + config.agent_id)});
            }
            lock = std::move(*taken);
        }
        if (auto ready = open_log(config); !ready) return refuse(ready.error());
        for (const auto& folder : {config.execution_basedir, config.results_basedir}) {
            if (auto usable = check_writable(folder); !usable) return refuse(usable.error());
        }
        auto secret_base = runtime_folder(config.agent_id);
        if (!secret_base) return refuse(secret_base.error());
        auto phase_user = phase_user_of(config, *secret_base);
        if (!phase_user) return refuse(phase_user.error());
        auto login = credentials_of(config, options_.token_file, own_secrets_);
        if (!login) return refuse(login.error());
        watch_own_secrets(*own_secrets_, config.trebuchet, options_.token_file);
        // Must run before a second thread starts: see PatternDatabase::of_expressions().
        auto masks = mask_options(config.trebuchet, former ? &former->config.trebuchet : nullptr);
        if (!masks) return refuse(masks.error());
        auto http = HttpClient::make(loop_, http_options(config));
        if (!http) return refuse(http.error());
        if (const auto& secrets = config.trebuchet.secrets; uses_vault(secrets)) {
            if (const auto problem = vault_.problem_at_start(secrets.vault); !problem.empty()) {
                return refuse(Error(problem));
            }
        }
        Config ready = config;
        ready.trebuchet.mask = std::move(*masks);
        enable_limits(ready.trebuchet.limits);
        return AgentInstance{std::move(ready),
                             *state,
                             lock ? std::move(*lock) : std::move(former->lock),
                             std::move(*secret_base),
                             std::move(*phase_user),
                             std::move(*http),
                             std::move(*login)};
    }

    DaemonEnd run_daemon(AgentInstance& instance) {
        if (travels_in_clear(instance.config.server_address)) {
            log_warning("tokens and secrets are sent unencrypted to " + instance.config.server_address + ": use https");
        }
        if (instance.config.trebuchet.artifacts_masking == ArtifactsMasking::off) {
            log_warning("artifacts are sent unmasked, with the secrets in them: artifacts_masking is off");
        }
        for (const auto& weakness : key_weaknesses(instance.config)) log_warning(weakness);
        auto& metrics = metrics_of(instance.config);
        if (std::getenv("INFLUX_HOST") != nullptr) {
            log_warning("INFLUX_HOST is set, but nothing is written to InfluxDB: use --metrics_port");
        }
        std::optional<LoopLag> lag;
        // It wakes an idle agent, so it is measured only where somebody can see it.
        if (metrics_port(instance.config)) {
            lag.emplace(loop_, [&](auto late) { metrics.loop_lagged(late, clock_.wall_time()); });
        }
        watch_ages(instance, metrics);
        const auto& status_dir =
            options_.status_folder.empty() ? instance.config.trebuchet.status_dir : options_.status_folder;
        board_->begin(identity(instance.config));
        StatusFile status(loop_, *board_,
                          status_dir.empty() ? std::filesystem::path(default_status_folder) : status_dir,
                          !status_dir.empty(), [jobs = instance.state / "jobs"] { return undelivered_below(jobs); });
        const auto draw = [this] { return std::generate_canonical<double, 53>(random_); };
        ApiClient api(loop_, clock_, std::move(instance.http), instance.login, draw);
        const auto server = make_http_job_server(instance.config, api);
        Guards guards(clock_, guard_limits(instance), guard_probes(instance, api));
        Daemon daemon({.loop = loop_,
                       .clock = clock_,
                       .config = instance.config,
                       .server = *server,
                       .metrics = metrics,
                       .metrics_are_served = metrics_port(instance.config).has_value(),
                       .draw = draw,
                       .secret_base = instance.secret_base,
                       .state_base = instance.state,
                       .guards = [&] { return guards.check(); },
                       .on_status = [this](const std::string& status) { service_.status(status); },
                       .phase_user = instance.phase_user,
                       .own_secrets = own_secrets_,
                       .board = board_,
                       .documents =
                           [&](const JobIdentity& identity, std::function<void(const std::string&)> on_accessor) {
                               const auto& vault = instance.config.trebuchet.secrets.vault;
                               return vault_.documents_of(vault, identity, std::move(on_accessor));
                           }});
        if (metrics_port(instance.config)) open_endpoint(instance, metrics);
        longest_stop_ = longest_stop(instance.config.trebuchet);
        daemon_ = &daemon;
        service_.ready();
        const auto end = daemon.run();
        daemon_ = nullptr;
        if (end != DaemonEnd::reload) board_->state_is(stopped_state, {});
        endpoint_timer_.stop();
        endpoint_.reset();
        std::error_code ignored;
        // The folder is empty now. If the service manager made it, it also removes it.
        if (std::getenv("RUNTIME_DIRECTORY") == nullptr) std::filesystem::remove(instance.secret_base, ignored);
        return end;
    }

    [[nodiscard]] std::optional<std::uint16_t> metrics_port(const Config& config) const {
        if (options_.metrics_port || config.trebuchet.metrics_port == 0) return options_.metrics_port;
        return config.trebuchet.metrics_port;
    }

    /// The metrics continue over a reload: monitoring would take a counter that falls for a restart.
    AgentMetrics& metrics_of(const Config& config) {
        if (!metrics_ || !metrics_->are_of(config.agent_id, config.identifier)) {
            metrics_ = std::make_unique<AgentMetrics>(config.agent_id, config.identifier);
        }
        return *metrics_;
    }

    void watch_ages(const AgentInstance& instance, AgentMetrics& metrics) {
        metrics.watch_job_quiet([this] { return board_->quiet_time(); });
        metrics.token_lifetime(instance.config.trebuchet.token_lifetime);
        if (!instance.login.client_id.empty()) return metrics.watch_token_age(nullptr);  // it logs in itself
        metrics.watch_token_age([this, file = instance.login.token_file]() -> AgentMetrics::Duration {
            const auto obtained = token_obtained_at(file);
            return obtained ? clock_.wall_time() - *obtained : AgentMetrics::Duration::zero();
        });
    }

    /// Retries until the port is free.
    void open_endpoint(const AgentInstance& instance, AgentMetrics& metrics) {
        HttpEndpointOptions where;
        where.address = instance.config.trebuchet.metrics_address;
        where.port = *metrics_port(instance.config);
        if (!instance.config.trebuchet.status_page_for_all) where.local_pages.insert("/");
        const auto page = [this, &instance] {
            return status_page(board_->status(), board_->phases(), disks_of(instance), clock_.wall_time());
        };
        auto endpoint = open_metrics_endpoint(loop_, where, metrics, page);
        if (!endpoint) {
            log_error("cannot serve metrics, retrying in 1 min: " + endpoint.error().message());
            return endpoint_timer_.start(endpoint_pause,
                                         [this, &instance, &metrics] { open_endpoint(instance, metrics); });
        }
        endpoint_ = std::move(*endpoint);
        log_info("metrics at http://" + where.address + ":" + std::to_string(endpoint_->port()) + "/metrics");
    }

    void take(int signal) {
        if (daemon_ == nullptr) return;
        switch (signal) {
            case SIGHUP:
                reload();
                break;
            case SIGUSR1:
                log_info("SIGUSR1: exiting for a restart once no job is running");
                daemon_->restart_when_idle();
                break;
            default:
                log_info(signal == SIGTERM ? "stopping on SIGTERM" : "stopping on SIGINT");
                service_.stopping();
                if (!std::exchange(is_stopping_, true) && longest_stop_) stop_until_ = clock_.now() + *longest_stop_;
                ask_for_patience();
                daemon_->stop();
        }
    }

    /// For the service manager the reload is over when the configuration was read: `systemctl reload` must not wait for
    /// the job that runs.
    void reload() {
        log_info("SIGHUP: reading the configuration again");
        service_.reloading();
        read_next();
        service_.ready();
    }

    void read_next() {
        auto loaded = load_config(options_.config);
        if (!loaded) {
            for (const auto& problem : loaded.error()) log_error(problem.message());
            log_error("continuing with the previous configuration");
            return;
        }
        for (const auto& warning : loaded->warnings) log_warning(warning.message());
        next_ = std::move(loaded->config);
        daemon_->reload_when_idle();
    }

    void ask_for_patience() {
        if (stop_until_ && clock_.now() >= *stop_until_) return;
        service_.extend_timeout(patience);
        patience_timer_.start(patience_pause, [this] { ask_for_patience(); });
    }

    const DaemonOptions& options_;
    EventLoop loop_;
    SystemClock clock_;
    ServiceManager service_;
    Timer patience_timer_;
    std::optional<std::chrono::milliseconds> longest_stop_;  ///< of the current configuration
    std::optional<std::chrono::steady_clock::time_point> stop_until_;
    bool is_stopping_ = false;
    std::unique_ptr<AgentMetrics> metrics_;
    std::shared_ptr<StatusBoard> board_ = std::make_shared<StatusBoard>(clock_);
    Timer endpoint_timer_;
    std::unique_ptr<HttpEndpoint> endpoint_;
    std::mt19937_64 random_{std::random_device{}()};
    std::shared_ptr<OwnSecrets> own_secrets_ = std::make_shared<OwnSecrets>();
    VaultAccess vault_{loop_, clock_, own_secrets_, [this] { return std::generate_canonical<double, 53>(random_); }};
    std::optional<Config> next_;
    Daemon* daemon_ = nullptr;
    SignalWatcher signals_;
};

}  // namespace

int daemon_command(const DaemonOptions& options) {
    const auto loaded = load_config(options.config);
    if (!loaded) {
        for (const auto& problem : loaded.error()) std::cerr << problem.message() << '\n';
        return exit_usage;
    }
    return Program(options).run(*loaded);
}

}  // namespace trebuchet
