#include "agent/job/phase_step.hpp"

#include "agent/job/exit_codes.hpp"
#include "agent/job/job_facts.hpp"
#include "agent/job/job_step.hpp"
#include "agent/job/job_templates.hpp"
#include "agent/job/phase_environment.hpp"
#include "agent/job/phase_user.hpp"
#include "common/base/system_text.hpp"
#include "common/log/log.hpp"

#include <algorithm>
#include <cerrno>
#include <functional>
#include <random>
#include <string_view>
#include <utility>

#include <unistd.h>

namespace trebuchet {
namespace {

/// After the agent was killed, its next start finds a phase's processes by this variable.
constexpr const char* marker_name = "TREBUCHET_PHASE_ID";

/// This variable tells connectors to leave the serial console to the agent: most consoles allow one reader.
constexpr const char* console_name = "TREBUCHET_CONSOLE";

constexpr const char* tags_name = "TREBUCHET_TAGS";

/// What the lab gives wins; what it refuses does not take away what the server gave.
void add_granted(const std::map<std::string, SecretString>& granted, std::map<std::string, SecretString>& secrets) {
    for (const auto& [name, value] : granted) {
        auto& known = secrets[name];
        if (!value.empty() || known.empty()) known = value.clone();
    }
}

/// Names such as SECRET_X are the agent's: no phase gets them.
std::string notes_on_removed(const RepositoryValues& repository, const Environment& environment) {
    std::string notes;
    for (const auto& [name, value] : repository.variables) {
        if (environment.variables().contains(name)) continue;
        notes +=
            "WARNING: the repository's variable " + name + " is left out: the agent removes variables of this name\n";
    }
    return notes;
}

std::string random_marker() {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::random_device random;
    std::string marker;
    for (int i = 0; i < 32; ++i) marker += digits[random() & 0xFU];
    return marker;
}

}  // namespace

std::string job_cgroups(const std::filesystem::path& secret_base) {
    return "trebuchet-" + std::to_string(std::hash<std::string>()(secret_base.string()) % 1'000'000) + "-job-";
}

std::string job_cgroup(const std::filesystem::path& secret_base, const std::string& job_id) {
    return job_cgroups(secret_base) + job_id;
}

PhaseStep::PhaseStep(RunningJob& job)
    : job_(job),
      phases_({job.parts.loop, job.parts.log, job.parts.listeners, job.parts.control, job.masks, job.mask_report}),
      files_(job),
      console_(job) {}

std::string PhaseStep::command_of(Phase phase) const {
    const auto& commands = job_.parts.config.phase_commands;
    const auto configured = commands.find(std::string(name_of(phase)));
    return configured == commands.end() ? "" : configured->second;
}

std::string PhaseStep::reason_to_skip(Phase phase) const {
    const std::string name(name_of(phase));
    if (command_of(phase).empty()) return "no " + name + "_command configured";
    if (phase == Phase::setup || phase == Phase::cleanup) return "";
    const auto& data = job_.parts.job.data_of(phase);
    if (!data.present) return "no " + name + "_data in the job";
    return data.skip ? "the job asks to skip it" : "";
}

std::optional<PhaseEnd> PhaseStep::run(Phase phase, RunFolder& folder) {
    if (const auto reason = reason_to_skip(phase); !reason.empty()) {
        log_debug("phase " + std::string(name_of(phase)) + " is skipped: " + reason);
        return std::nullopt;
    }
    job_.parts.listeners.tell(&JobListener::phase_runs, phase);
    job_.last_phase = phase;
    console_.start(folder.path());
    files_.send_device_info(folder);
    auto end = attempt(phase, folder);
    if (may_try_again(phase, end)) {
        job_.write(phase, "\nWARNING: " + std::string(name_of(phase)) + " failed with exit code " +
                              std::to_string(end.exit_code()) + ": running it once more\n\n");
        folder.remove_serial_log(phase);
        end_leftovers();
        end = attempt(phase, folder);
    }
    auto status = job_.outcome.status;
    status[phase] = end.exit_code();
    if (auto written = folder.write_outcome(status); !written) log_warning(written.error().message());
    reached("exit code written");
    job_.phase_ended(phase, end.exit_code());
    return end;
}

bool PhaseStep::may_try_again(Phase phase, const PhaseEnd& end) const {
    const int code = end.exit_code();
    return phase == Phase::cleanup && code != 0 && code != recovery_failed_code && !end.interruption && !stopping_now_;
}

PhaseEnd PhaseStep::attempt(Phase phase, RunFolder& folder) {
    auto setup = set_up(phase, folder);
    if (setup.mask_fifo) setup.spec.mask_fifo = &*setup.mask_fifo;
    PhaseEnd end;
    if (setup.interruption) {
        job_.write(phase, describe(*setup.interruption) + "\n");
        end.command = CouldNotStart{describe(*setup.interruption)};
        end.interruption = setup.interruption;
    } else if (setup.ready) {
        reached("phase log opened");
        end = phases_.run(std::move(setup.spec), setup.log.get());
        if (setup.file_with_secrets) hide_secrets(folder);
        reached("job file hidden");
    } else {
        end.command = CouldNotStart{setup.ready.error().message()};
    }
    setup.mask_fifo.reset();
    setup.secret_files.reset();
    survivors_.insert(survivors_.end(), end.survivors.begin(), end.survivors.end());
    files_.send_serial_log(phase, folder);
    reached("serial log queued");
    return end;
}

PhaseStep::Setup PhaseStep::set_up(Phase phase, RunFolder& folder) {
    Setup setup;
    const auto& config = job_.parts.config;
    auto granted = fetch_granted(phase, setup);
    if (setup.interruption || !setup.ready) return setup;
    auto secrets = secrets_of_phase(job_.parts.job, phase, config);
    const auto* repository = fetch_repository(phase, setup);
    if (setup.interruption) return setup;
    auto given = std::map<std::string, SecretString>();
    if (repository != nullptr) add_granted(repository->secrets, given);
    add_granted(granted.env, given);
    add_granted(given, secrets);
    // The job file says what the environment says, also where a value that is missing leaves the job's own.
    for (auto& [name, value] : given) value = secrets[name].clone();
    setup.file_with_secrets = !secrets.empty() && config.trebuchet.job_file_secrets == JobFileSecrets::tmpfs;
    fill_in(phase, given, secrets, setup);
    if (!setup.ready) return setup;
    setup.ready = prepare(folder, setup, given);
    reached("job file linked");
    if (setup.ready) {
        auto opened = folder.open_phase_log(phase);
        if (opened) setup.log = std::move(*opened);
        if (!opened) setup.ready = fail(opened.error());
    }
    if (!setup.ready) {
        const auto& reason = setup.ready.error().message();
        job_.write(phase, "ERROR: the run folder cannot be used: " + reason + "\n");
        if (phase != Phase::cleanup) return setup;
        // Clean up the device even if a phase has filled the disk.
        log_error("job " + job_.parts.job.id + ": cleanup runs although the run folder cannot be used: " + reason);
        setup.ready = {};
    }
    auto& spec = setup.spec = spec_of(phase, folder);
    auto base = base_environment(folder);
    if (repository != nullptr) {
        for (const auto& [name, value] : repository->variables) base.set(name, value);
    }
    spec.process.environment = phase_environment(std::move(base), config, secrets);
    spec.process.environment.set(tags_name, tags_variable(job_.parts.job));
    spec.notes =
        notes_on_secrets(job_.parts.job, phase, config, given) + granted.notes +
        (repository != nullptr ? repository->notes + notes_on_removed(*repository, spec.process.environment) : "") +
        setup.template_notes + folder.notes() +
        note_on_size(spec.process.environment, static_cast<std::size_t>(::sysconf(_SC_ARG_MAX)));
    const auto marker = random_marker();
    spec.marker = std::string(marker_name) + "=" + marker;
    spec.process.environment.set(marker_name, marker);
    if (!config.trebuchet.console_command.empty()) spec.process.environment.set(console_name, "agent");
    auto fifo = make_fifo();
    if (fifo) {
        setup.mask_fifo.emplace(std::move(*fifo));
        spec.process.environment.set("TREBUCHET_MASK_FILE", setup.mask_fifo->path().string());
    } else {
        log_warning("job " + job_.parts.job.id + ": the " + std::string(name_of(phase)) +
                    " phase gets no TREBUCHET_MASK_FILE: " + fifo.error().message());
    }
    return setup;
}

PhaseSecrets PhaseStep::fetch_granted(Phase phase, Setup& setup) {
    auto* const granted = job_.parts.granted;
    PhaseSecrets secrets;
    if (granted == nullptr || !granted->concerns(name_of(phase)) || stopping_now_) return secrets;
    const bool may_end = phase != Phase::cleanup;
    bool cancelled = false;
    if (may_end && phase != Phase::provision) {
        job_.parts.control.watch_for_cancel([&] {
            cancelled = true;
            granted->interrupt();
        });
    }
    fetch_may_end_ = may_end;
    secrets = granted->for_phase(name_of(phase), job_);
    fetch_may_end_ = false;
    job_.parts.control.unwatch();
    if (cancelled) setup.interruption = Cancelled{};
    if (may_end && job_.outcome.stopped) setup.interruption = AgentStops{};
    if (!setup.interruption) make_secret_files(secrets, setup);
    // The device has to be cleaned up in any case.
    if (secrets.ready || !may_end || setup.interruption) return secrets;
    job_.write(phase, "ERROR: the phase cannot run without its secrets: " + secrets.ready.error().message() + "\n");
    setup.ready = secrets.ready;
    return secrets;
}

const RepositoryValues* PhaseStep::fetch_repository(Phase phase, Setup& setup) {
    auto* const repository = job_.parts.repository;
    const auto& phases = job_.parts.config.trebuchet.secret_phases;
    const bool is_for_phase = std::find(phases.begin(), phases.end(), name_of(phase)) != phases.end();
    if (repository == nullptr || !repository->concerns() || !is_for_phase || stopping_now_) return nullptr;
    const bool may_end = phase != Phase::cleanup;
    bool cancelled = false;
    if (may_end && phase != Phase::provision) {
        job_.parts.control.watch_for_cancel([&] {
            cancelled = true;
            repository->stop_now();
        });
    }
    fetch_may_end_ = may_end;
    const auto& values = repository->values(name_of(phase), job_);
    fetch_may_end_ = false;
    job_.parts.control.unwatch();
    if (cancelled) setup.interruption = Cancelled{};
    if (may_end && job_.outcome.stopped) setup.interruption = AgentStops{};
    return &values;
}

void PhaseStep::fill_in(Phase phase, const std::map<std::string, SecretString>& given,
                        std::map<std::string, SecretString>& secrets, Setup& setup) {
    const auto& config = job_.parts.config;
    if (!config.trebuchet.secrets.templates) return;
    const auto agent = Environment::inherited();
    const bool has_file = config.trebuchet.job_file_secrets == JobFileSecrets::tmpfs;
    auto filled =
        fill_templates(has_file ? job_.parts.job.document_with(given) : WipedString(job_.parts.job.public_document),
                       phase, {secrets, agent, job_});
    if (filled && *filled && (*filled)->has_values && !has_file) {
        filled = fail(
            "a template stands outside test_cmds, and the lab keeps values out of the job file "
            "(trebuchet.job_file_secrets: none)");
    }
    if (!filled) {
        job_.write(phase, "ERROR: " + filled.error().message() + "\n");
        // The device has to be cleaned up in any case.
        if (phase != Phase::cleanup) setup.ready = fail(filled.error());
        return;
    }
    if (!*filled) return;
    setup.template_notes = std::move((*filled)->notes);
    setup.filled_job = has_file ? std::move((*filled)->document) : without_secrets((*filled)->document);
    setup.file_with_secrets = true;
    add_granted((*filled)->variables, secrets);
}

void PhaseStep::make_secret_files(PhaseSecrets& granted, Setup& setup) const {
    if (granted.files.empty()) return;
    const auto& parts = job_.parts;
    const auto user = parts.phase_user ? std::optional(parts.phase_user->ids) : std::nullopt;
    auto& files = setup.secret_files.emplace(parts.secret_base / parts.job.id, user);
    Result<void> open;
    if (user) open = let_pass(parts.secret_base, *user);
    for (const auto& [name, content] : granted.files) {
        const auto path = open ? files.add(name, content) : fail(open.error());
        granted.env[name] = path ? SecretString(path->string()) : SecretString();
        if (path) continue;
        log_error("job " + parts.job.id + ": cannot make the file of the secret " + name + ": " +
                  path.error().message());
        if (granted.ready) granted.ready = fail("the agent cannot make the file of " + name);
    }
    granted.files.clear();
}

Result<void> PhaseStep::prepare(RunFolder& folder, const Setup& setup,
                                const std::map<std::string, SecretString>& granted) const {
    const auto& parts = job_.parts;
    auto ready = setup.filled_job          ? folder.show_secret_job(*setup.filled_job)
                 : setup.file_with_secrets ? folder.show_secret_job(parts.job.document_with(granted))
                                           : folder.show_job(parts.job, false);
    if (ready && parts.phase_user) ready = let_pass(parts.config.execution_basedir, parts.phase_user->ids);
    if (ready) ready = folder.hand_over();
    if (ready && parts.config.trebuchet.job_home == JobHome::fresh) ready = folder.make_homes();
    return ready;
}

Environment PhaseStep::base_environment(const RunFolder& folder) const {
    auto environment = Environment::inherited();
    if (job_.parts.phase_user) set_user_variables(environment, *job_.parts.phase_user);
    if (job_.parts.config.trebuchet.job_home == JobHome::keep) return environment;
    environment.unset_prefix("XDG_");
    environment.set("HOME", (folder.path() / "home").string());
    environment.set("TMPDIR", (folder.path() / "tmp").string());
    return environment;
}

Result<MaskFifo> PhaseStep::make_fifo() const {
    const auto& parts = job_.parts;
    auto fifo = MaskFifo::make(parts.secret_base / "mask.fifo");
    if (!fifo || !parts.phase_user) return fifo;
    const auto& ids = parts.phase_user->ids;
    if (::fchown(fifo->fd(), ids.user, ids.group) != 0) {
        return fail("cannot give it to the user of the phases: " + system_text(errno));
    }
    if (auto open = let_pass(parts.secret_base, ids); !open) return fail(open.error());
    return fifo;
}

PhaseSpec PhaseStep::spec_of(Phase phase, const RunFolder& folder) const {
    const auto& config = job_.parts.config;
    const auto& job = job_.parts.job;
    PhaseSpec spec;
    spec.phase = phase;
    spec.banner = "Starting testflinger " + std::string(name_of(phase)) + " phase on " + config.agent_id;
    spec.process.title = name_of(phase);
    spec.process.command = command_of(phase);
    spec.process.folder = folder.path();
    if (job_.parts.phase_user) spec.process.user = job_.parts.phase_user->ids;
    spec.process.kill_grace = config.trebuchet.kill_grace;
    spec.process.limits = {config.trebuchet.limits.memory, config.trebuchet.limits.pids};
    spec.process.cgroup = job_cgroup(job_.parts.secret_base, job.id) + "/" + std::string(name_of(phase));
    if (phase != Phase::reserve) spec.global_timeout = job.global_timeout_within(config.global_timeout);
    if (phase == Phase::test) {
        spec.output_timeout = job.output_timeout_within(config.output_timeout);
        spec.output_timeout_command = config.trebuchet.output_timeout_command;
        spec.last_of_console = [this]() -> const MaskedChunk& { return console_.last_lines(); };
    }
    spec.can_be_cancelled = phase != Phase::provision && phase != Phase::cleanup;
    spec.can_be_stopped = phase != Phase::cleanup;
    return spec;
}

void PhaseStep::end_leftovers() {
    tell_survivors(phases_.end_leftovers());
}

void PhaseStep::tell_survivors(const std::vector<Survivor>& survivors) {
    if (survivors.empty()) return;
    survivors_.insert(survivors_.end(), survivors.begin(), survivors.end());
    job_.with_masks("the names of processes that could not be ended are", [&] {
        const auto text = "ERROR: the agent could not end all processes that the job left: " + describe(survivors);
        log_error("job " + job_.parts.job.id + ": " + std::string(job_.mask(text).bytes()));
        job_.add_to_log("\n" + text + "\n");
    });
}

std::vector<Survivor> PhaseStep::living_survivors() const {
    std::vector<Survivor> living;
    for (const auto& survivor : survivors_) {
        auto found = look_at_survivor(survivor.pid, survivor.start_time);
        if (found && std::find(living.begin(), living.end(), *found) == living.end()) {
            living.push_back(std::move(*found));
        }
    }
    return living;
}

void PhaseStep::hide_secrets(RunFolder& folder) const {
    if (auto hidden = folder.show_job(job_.parts.job, false); !hidden) log_warning(hidden.error().message());
}

}  // namespace trebuchet
