#include "agent/job/job_runner.hpp"

#include "agent/job/job_step.hpp"
#include "agent/job/phase_environment.hpp"
#include "common/archive/tar_gz_reader.hpp"
#include "common/event/beside.hpp"
#include "common/file/safe_file.hpp"
#include "common/log/log.hpp"

#include <algorithm>
#include <array>
#include <exception>
#include <random>
#include <utility>

#include <unistd.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

/// What is sent of a serial log at most; the file's writer is hostile.
constexpr std::size_t serial_log_limit = 64U << 20;

/// Small artifacts are kept for the next start even when the agent is to stop at once.
constexpr std::chrono::seconds hurried_packing{3};

std::string name_of_event(const Interruption& interruption) {
    struct Name {
        std::string operator()(const GlobalTimeout&) const { return "global_timeout"; }
        std::string operator()(const OutputTimeout&) const { return "output_timeout"; }
        std::string operator()(const Cancelled&) const { return "cancelled"; }
        std::string operator()(const AgentStops&) const { return ""; }
        std::string operator()(const MaskingFailed&) const { return "masking_failed"; }
    };
    return std::visit(Name{}, interruption);
}

/// By this variable a phase's processes are known again after the agent was killed.
constexpr const char* marker_name = "TREBUCHET_PHASE_ID";

std::string random_marker() {
    static constexpr std::string_view digits = "0123456789abcdef";
    std::random_device random;
    std::string marker;
    for (int i = 0; i < 32; ++i) marker += digits[random() & 0xFU];
    return marker;
}

}  // namespace

std::string recovery_failed_comment(const std::string& job_id) {
    return "Set to offline by agent. Recovery failed during job '" + job_id + "' execution.";
}

JobRunner::JobRunner(EventLoop& loop, const Config& config, JobReporter& reporter, const Job& job,
                     std::shared_ptr<const MaskSet> masks)
    : loop_(loop),
      config_(config),
      reporter_(reporter),
      job_(job),
      masks_(std::move(masks)),
      phases_(loop, reporter, masks_, leaks_),
      packing_limit_(loop) {}

void JobRunner::stop() {
    outcome_.stopped = true;
    reporter_.hurry();
    phases_.stop();
}

void JobRunner::kill() {
    killed_ = true;
    outcome_.stopped = true;
    reporter_.hurry();
    reporter_.hurry();  // nothing is waited for, told to stop before or not
    phases_.kill();
    packing_limit_.start(hurried_packing, [this] { stop_packing_ = true; });
}

JobOutcome JobRunner::run(const std::filesystem::path& secret_base) {
    secret_base_ = secret_base;
    masks_.on_added = [this](std::string_view value) { on_mask_added(value); };
    reporter_.job_taken(job_);
    reached("making the run folder");
    auto folder = RunFolder::make(config_.execution_basedir, secret_base, job_);
    if (!folder) {
        report_unable(folder.error());
    } else {
        reached("run folder made");
        const auto ready = unpack_attachments(*folder);
        if (ready) run_main_phases(*folder);
        if (!ready && !outcome_.stopped) outcome_.cancelled = reporter_.is_cancelled();
        if (outcome_.cancelled && !ready) event("cancelled");
        if (!ready && !outcome_.cancelled) report_unable(ready.error());
        run_cleanup(*folder);
        with_masks("the device info is",
                   [&] { send_device_info(*folder); });  // no phase may have run since it was written
    }
    event("job_end", end_reason_);
    return finish(folder);
}

JobOutcome JobRunner::finish(Result<RunFolder>& folder) {
    phases_.end_leftovers();
    reached("leftovers ended");
    if (folder) {
        upload_artifacts(*folder);
    } else {
        report_leaks();
    }
    // Before the end is told, so that whoever is told finds nothing left.
    if (folder) {
        if (auto removed = folder->remove(); !removed) log_warning(removed.error().message());
    }
    reached("run folder removed");
    outcome_.cancelled = outcome_.cancelled || reporter_.is_cancelled();  // its state must not be overwritten
    reporter_.job_finished(outcome_.status, outcome_.cancelled);
    return outcome_;
}

void JobRunner::report_unable(const Error& reason) {
    log_error("job " + job_.id + " can't run: " + reason.message());
    reporter_.output(Phase::setup, mask("ERROR: the job can't run: " + reason.message() + "\n"));
    outcome_.status[Phase::setup] = 100;
    end_reason_ = "setup_fail";
    reporter_.phase_ran(Phase::setup, outcome_.status);
}

Result<void> JobRunner::unpack_attachments(const RunFolder& folder) {
    if (!job_.has_attachments || !fetch_attachments || outcome_.stopped) return {};
    const auto archive = folder.path() / "attachments.tar.gz";
    auto done = fetch_attachments(archive);
    if (!done) return fail(done.error().with_context("its attachments can't be fetched"));
    reached("attachments arrived");
    const auto target = folder.path() / "attachments";
    run_beside(loop_, [&] {
        UnpackLimits limits;
        limits.stop = &killed_;
        const auto unpacked = unpack_tar_gz(archive, target, {"provision", "firmware_update", "test"}, limits);
        if (!unpacked) done = fail(unpacked.error().with_context("its attachments can't be unpacked"));
    });
    std::error_code ignored;
    std::filesystem::remove(archive, ignored);
    reached("attachments unpacked");
    if (done) return {};
    if (auto removed = remove_tree(target); !removed) log_warning(removed.error().message());
    return done;
}

void JobRunner::run_main_phases(RunFolder& folder) {
    for (const Phase phase : main_phases) {
        if (outcome_.stopped) {
            if (reason_to_skip(phase).empty()) return report_left_out(phase);
            continue;
        }
        if (outcome_.cancelled || reporter_.is_cancelled()) {
            outcome_.cancelled = true;
            event("cancelled");
            return;
        }
        if (run_main_phase(phase, folder) == Next::end_job) return;
    }
}

void JobRunner::report_left_out(Phase phase) {
    if (stop_ended_a_phase_) return;
    reporter_.output(phase, mask("ERROR: the agent is stopping: this phase and what follows is not run.\n"));
    outcome_.status[phase] = PhaseEnd{CouldNotStart{}, AgentStops{}}.exit_code();
    end_reason_ = std::string(name_of(phase)) + "_fail";
    reporter_.phase_ran(phase, outcome_.status);
}

JobRunner::Next JobRunner::run_main_phase(Phase phase, RunFolder& folder) {
    const std::string name(name_of(phase));
    reporter_.phase_entered(phase);
    const auto end = run_command(phase, folder);
    const int code = end ? end->exit_code() : 0;
    if (end && end->interruption) {
        outcome_.cancelled = outcome_.cancelled || std::holds_alternative<Cancelled>(*end->interruption);
        stop_ended_a_phase_ = stop_ended_a_phase_ || std::holds_alternative<AgentStops>(*end->interruption);
        if (const auto happened = name_of_event(*end->interruption); !happened.empty()) {
            event(happened, describe(*end->interruption));
        }
    }
    if (phase == Phase::allocate && end && code == 0) {
        with_masks("the device info is", [&] { send_device_info(folder); });
        if (!reporter_.is_cancelled()) reporter_.stay_allocated();
    }
    std::string ending = name + (code == 0 ? "_success" : "_fail");
    if (code == recovery_failed_code) {
        ending = "recovery_fail";
        outcome_.recovery_failed = true;
        reporter_.recovery_failed(recovery_failed_comment(job_.id));
    }
    event(ending, code == 0 ? "" : folder.read_connector_error(phase));
    if (phase == Phase::provision) reporter_.provision_log(code, mask(ending));
    const bool masks_failed = end && end->interruption && std::holds_alternative<MaskingFailed>(*end->interruption);
    if (code == 0 || (phase == Phase::test && code != recovery_failed_code && !masks_failed)) return Next::go_on;
    end_reason_ = ending;
    return Next::end_job;
}

void JobRunner::with_masks(const std::string& what, const std::function<void()>& work) {
    bool failed = masks_.has_failed();
    try {
        if (!failed) work();
    } catch (const std::exception&) {
        failed = true;  // why may quote what should be masked
    }
    if (!failed) return;
    const auto text = "ERROR: secrets can't be masked any more: " + what + " left out";
    log_error(text);
    reporter_.output(last_phase_, MaskSet::none()->mask("\n" + text + ".\n"));
}

std::string JobRunner::command_of(Phase phase) const {
    const auto configured = config_.phase_commands.find(std::string(name_of(phase)));
    return configured == config_.phase_commands.end() ? "" : configured->second;
}

std::string JobRunner::reason_to_skip(Phase phase) const {
    const std::string name(name_of(phase));
    if (command_of(phase).empty()) return "no " + name + "_command configured";
    if (phase == Phase::setup || phase == Phase::cleanup) return "";
    const auto& data = job_.data_of(phase);
    if (!data.present) return "no " + name + "_data in the job";
    return data.skip ? "the job asks to skip it" : "";
}

std::optional<PhaseEnd> JobRunner::run_command(Phase phase, RunFolder& folder) {
    if (const auto reason = reason_to_skip(phase); !reason.empty()) {
        log_debug("phase " + std::string(name_of(phase)) + " is skipped: " + reason);
        return std::nullopt;
    }
    reporter_.phase_runs(phase);
    last_phase_ = phase;
    auto end = execute(phase, command_of(phase), folder);
    with_masks("its serial log is", [&] { send_serial_log(phase, folder); });
    reached("serial log queued");
    outcome_.status[phase] = end.exit_code();
    if (auto written = folder.write_outcome(outcome_.status); !written) log_warning(written.error().message());
    reached("exit code written");
    reporter_.phase_ran(phase, outcome_.status);
    return end;
}

PhaseEnd JobRunner::execute(Phase phase, const std::string& command, RunFolder& folder) {
    with_masks("the device info is", [&] { send_device_info(folder); });
    const auto secrets = secrets_of_phase(job_, phase, config_);
    const bool file_with_secrets = !secrets.empty() && config_.trebuchet.job_file_secrets == JobFileSecrets::tmpfs;
    auto ready = folder.show_job(job_, file_with_secrets);
    reached("job file linked");
    FileDescriptor log_file;
    if (ready) {
        auto opened = folder.open_phase_log(phase);
        if (opened) log_file = std::move(*opened);
        if (!opened) ready = fail(opened.error());
    }
    if (!ready) {
        const auto& reason = ready.error().message();
        reporter_.output(phase, mask("ERROR: the run folder can't be used: " + reason + "\n"));
        // The device has to be cleaned up even when a phase filled the disk.
        if (phase != Phase::cleanup) return {CouldNotStart{reason}, std::nullopt};
        log_error("cleanup runs although the run folder can't be used: " + reason);
    }
    auto spec = spec_of(phase, command, folder);
    spec.process.environment = phase_environment(Environment::inherited(), config_, secrets);
    spec.marker = std::string(marker_name) + "=" + random_marker();
    spec.process.environment.set(marker_name, spec.marker.substr(spec.marker.find('=') + 1));
    auto fifo = MaskFifo::make(secret_base_ / "mask.fifo");
    if (fifo) {
        spec.mask_fifo = &*fifo;
        spec.process.environment.set("TREBUCHET_MASK_FILE", fifo->path().string());
    } else {
        log_warning("no TREBUCHET_MASK_FILE: " + fifo.error().message());
    }
    reached("phase log opened");
    auto end = phases_.run(std::move(spec), log_file.get());
    if (file_with_secrets) {
        if (auto hidden = folder.show_job(job_, false); !hidden) log_warning(hidden.error().message());
    }
    reached("job file hidden");
    return end;
}

PhaseSpec JobRunner::spec_of(Phase phase, const std::string& command, const RunFolder& folder) const {
    PhaseSpec spec;
    spec.phase = phase;
    spec.banner = "Starting testflinger " + std::string(name_of(phase)) + " phase on " + config_.agent_id;
    spec.process.title = name_of(phase);
    spec.process.command = command;
    spec.process.folder = folder.path();
    spec.process.kill_grace = config_.trebuchet.kill_grace;
    if (phase != Phase::reserve) spec.global_timeout = job_.global_timeout_within(config_.global_timeout);
    if (phase == Phase::test) spec.output_timeout = job_.output_timeout_within(config_.output_timeout);
    spec.can_be_cancelled = phase != Phase::provision && phase != Phase::cleanup;
    spec.can_be_stopped = phase != Phase::cleanup;
    return spec;
}

void JobRunner::run_cleanup(RunFolder& folder) {
    if (killed_) {
        log_warning("cleanup of job " + job_.id + " did not run: the agent stops at once");
        return;
    }
    event("cleanup_start");
    reached("starting cleanup");
    const auto end = run_command(Phase::cleanup, folder);
    event(end && end->exit_code() != 0 ? "cleanup_fail" : "cleanup_success");
    reached("cleanup done");
}

void JobRunner::send_device_info(const RunFolder& folder) {
    const auto info = folder.read_device_info();
    if (!info) {
        log_warning("the device info is not sent: " + info.error().message());
        return;
    }
    if (!*info) return;
    MaskCounts found;
    const MaskedJson masked(*masks_.current(), **info, &found);
    auto text = masked.value().dump();
    if (text == last_device_info_) return;
    last_device_info_ = std::move(text);
    leaks_.at("device info")->merge(found);
    reporter_.device_info(masked);
}

void JobRunner::send_serial_log(Phase phase, const RunFolder& folder) {
    const auto file = folder.open_serial_log(phase);
    if (!file) return;
    Masker masker(masks_.current(), leaks_.at(std::string(name_of(phase)) + " serial log"));
    std::array<char, 65536> buffer{};
    std::size_t total = 0;
    while (total < serial_log_limit) {
        const auto count = ::read(file->get(), buffer.data(), buffer.size());
        if (count <= 0) break;
        total += static_cast<std::size_t>(count);
        reporter_.serial(phase, masker.write({buffer.data(), static_cast<std::size_t>(count)}));
        reporter_.wait_for_serial_room();
    }
    reporter_.serial(phase, masker.finish());
    if (total >= serial_log_limit) {
        reporter_.serial(phase, mask("\n[the rest of the serial log is left out: more than " +
                                     std::to_string(serial_log_limit >> 20) + " MiB]\n"));
    }
    wipe(buffer.data(), buffer.size());
}

}  // namespace trebuchet
