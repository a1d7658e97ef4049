#include "agent/cli/run_command.hpp"

#include "agent/cli/console_reporter.hpp"
#include "agent/cli/daemon_command.hpp"
#include "agent/cli/exit_codes.hpp"
#include "agent/cli/local_control.hpp"
#include "agent/cli/local_job.hpp"
#include "agent/cli/own_secret_files.hpp"
#include "agent/config/load_config.hpp"
#include "agent/config/mask_options.hpp"
#include "agent/daemon/agent_folders.hpp"
#include "agent/job/job_limits.hpp"
#include "agent/job/job_runner.hpp"
#include "agent/job/phase_user.hpp"
#include "common/file/safe_file.hpp"
#include "common/log/log.hpp"
#include "common/yaml/yaml.hpp"
#include "common/yaml/yaml_json.hpp"

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <random>

#include <unistd.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t file_limit = 16U << 20;

int complain(const std::string& message) {
    std::cerr << "trebuchet-agent run: " << message << '\n';
    return exit_usage;
}

/// A folder in the system's temporary folder. The destructor removes it with everything in it.
class TemporaryFolder {
  public:
    static Result<TemporaryFolder> make() {
        std::error_code error;
        std::string pattern = (fs::temp_directory_path(error) / "trebuchet-run-XXXXXX").string();
        if (error || ::mkdtemp(pattern.data()) == nullptr)
            return fail("cannot make a temporary folder like " + pattern);
        return TemporaryFolder(pattern);
    }
    TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
    TemporaryFolder(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(const TemporaryFolder&) = delete;
    TemporaryFolder& operator=(TemporaryFolder&&) = delete;
    ~TemporaryFolder() {
        if (!path_.empty()) static_cast<void>(remove_tree(path_));
    }
    [[nodiscard]] const fs::path& path() const { return path_; }

  private:
    explicit TemporaryFolder(fs::path path) : path_(std::move(path)) {}
    fs::path path_;
};

Result<std::optional<PhaseUser>> phase_user_of(const Config& config) {
    if (config.trebuchet.phase_user.empty()) return std::optional<PhaseUser>();
    auto user = find_phase_user(config.trebuchet.phase_user);
    if (!user) return fail(user.error());
    if (auto able = prepare_for_phase_user(*user); !able) return fail(able.error());
    return std::optional(std::move(*user));
}

/// The default configuration: the job runs on this machine, with the connector that touches no hardware.
Result<Config> stand_alone_config(const fs::path& folder) {
    std::error_code error;
    const auto connector = fs::read_symlink("/proc/self/exe", error).parent_path() / "trebuchet-provision";
    if (error || !fs::exists(connector, error)) {
        return fail("there is no " + connector.string() +
                    " to run the phases with: install it there, or give a configuration with --config");
    }
    const auto settings = folder / "default.yaml";
    if (auto written = write_file(settings, "agent_name: local\n"); !written) return fail(written.error());
    Config config;
    config.agent_id = "local";
    config.exported["agent_id"] = config.agent_id;
    for (const auto& [phase, stage] : {std::pair{"provision", "provision"},
                                       {"firmware_update", "firmware_update"},
                                       {"test", "runtest"},
                                       {"allocate", "allocate"},
                                       {"reserve", "reserve"}}) {
        config.phase_commands[phase] = "exec '" + connector.string() + "' fake_connector " + stage + " -c '" +
                                       settings.string() + "' testflinger.json";
    }
    return config;
}

Result<Config> configuration(const RunOptions& options, const fs::path& folder) {
    if (!options.config) return stand_alone_config(folder);
    auto loaded = load_config(*options.config);
    if (loaded) return std::move(loaded->config);
    std::string problems;
    for (const auto& problem : loaded.error()) problems += (problems.empty() ? "" : "\n") + problem.message();
    return fail(problems);
}

Result<LocalJob> read_job(const RunOptions& options, const Config& config) {
    const auto text = read_file(options.job, file_limit);
    if (!text) return fail(text.error());
    const auto document = parse_yaml(*text);
    if (!document) return fail(document.error().message(options.job.string()));
    SecretString secrets;
    if (options.secrets) {
        auto values = read_secret_file(*options.secrets, file_limit);
        if (!values) return fail(values.error());
        if (values->empty()) return fail(options.secrets->string() + " is empty, expected a JSON object");
        secrets = std::move(*values);
    }
    auto job = make_local_job(yaml_to_json(document->root), secrets.reveal(), "local-" + std::to_string(::getpid()),
                              config.trebuchet.allow_secret_names);
    if (!job) return fail(job.error().with_context(options.job.string()));
    return job;
}

bool wants_colour() {
    const char* term = std::getenv("TERM");
    return ::isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr && term != nullptr &&
           std::string_view(term) != "dumb";
}

}  // namespace

int run_command(const RunOptions& options) {
    const auto temporary = TemporaryFolder::make();
    if (!temporary) return complain(temporary.error().message());
    auto config = configuration(options, temporary->path());
    if (!config) return complain(config.error().message());
    config->execution_basedir = temporary->path() / "run";

    auto local = read_job(options, *config);
    if (!local) return complain(local.error().message());
    const Job& job = local->job;
    const auto options_of_masks = mask_options(config->trebuchet);
    if (!options_of_masks) return complain(options_of_masks.error().message());
    const auto own = std::make_shared<OwnSecrets>();
    watch_own_secrets(*own, config->trebuchet, DaemonOptions().token_file);
    auto secrets = own->all();
    for (auto& secret : job.secrets()) secrets.push_back(std::move(secret));
    const auto masks = MaskSet::build(std::move(secrets), *options_of_masks);
    if (!masks) return complain(masks.error().message());
    set_log_masks(*masks);
    if (config->trebuchet.artifacts_masking == ArtifactsMasking::off) {
        log_warning("artifacts are stored unmasked, with the secrets in them: artifacts_masking is off");
    }
    for (const auto& warning : local->warnings) log_warning(warning);
    for (const auto& name : (*masks)->too_short()) log_warning("the value of " + name + " is too short to be masked");

    std::error_code error;
    fs::create_directories(options.output, error);
    if (error) return complain("cannot make the folder " + options.output.string() + ": " + error.message());
    enable_limits(config->trebuchet.limits);
    const auto secret_base = runtime_folder("run-" + std::to_string(::getpid()));
    if (!secret_base) return complain(secret_base.error().message());

    const auto phase_user = phase_user_of(*config);
    if (!phase_user) return complain(phase_user.error().message());

    EventLoop loop;
    const SystemClock clock;
    ConsoleReporter reporter(clock, std::cout, wants_colour(), options.output);
    LocalControl control;
    JobRunner runner({.loop = loop,
                      .config = *config,
                      .job = job,
                      .masks = *masks,
                      .secret_base = *secret_base,
                      .log = reporter,
                      .listeners = {&reporter},
                      .control = control,
                      .phase_user = *phase_user,
                      .own_secrets = own});
    const SignalWatcher signals(loop, {SIGTERM, SIGINT, SIGHUP}, [&](int) { runner.stop(); });
    runner.run();
    fs::remove(*secret_base, error);
    return reporter.first_failure();
}

}  // namespace trebuchet
