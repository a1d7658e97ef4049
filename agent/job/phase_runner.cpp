#include "agent/job/phase_runner.hpp"

#include "agent/job/connector_chatter.hpp"
#include "agent/job/exit_codes.hpp"
#include "agent/job/job_step.hpp"
#include "common/file/safe_file.hpp"
#include "common/log/log.hpp"

#include <algorithm>
#include <cstdint>
#include <exception>
#include <utility>

namespace trebuchet {
namespace {

/// Limits a phase's log file in the run folder; what is sent has no limit.
constexpr std::uint64_t phase_log_limit = std::uint64_t{1} << 30;

constexpr LiteralText masking_failed_words(
    "ERROR: secrets cannot be masked any more: the phase was ended, and the rest of its output is left out.");

/// The agent must have ended 2 s after it was told to stop now.
constexpr std::chrono::milliseconds hurried_kill{1'200};

std::string seconds_text(std::chrono::seconds limit) {
    return "(" + std::to_string(limit.count()) + "s)";
}

}  // namespace

std::string describe(const Interruption& interruption) {
    struct Describe {
        std::string operator()(const GlobalTimeout& timeout) const {
            return "ERROR: Global timeout reached! " + seconds_text(timeout.limit);
        }
        std::string operator()(const OutputTimeout& timeout) const {
            return "ERROR: Output timeout reached! " + seconds_text(timeout.limit);
        }
        std::string operator()(const Cancelled&) const { return "Job cancellation was requested, exiting."; }
        std::string operator()(const AgentStops&) const { return "The agent is stopping: the phase was ended."; }
        std::string operator()(const MaskingFailed&) const { return std::string(masking_failed_words.text()); }
    };
    return std::visit(Describe{}, interruption);
}

int PhaseEnd::exit_code() const {
    if (interruption) return ended_by_agent_code;
    if (const auto* exited = std::get_if<Exited>(&command)) return exited->code;
    if (const auto* signalled = std::get_if<Signalled>(&command)) return (256 - signalled->signal) % 256;
    return could_not_start_code;
}

/// The state of one run.
struct PhaseRunner::Running {
    Running(PhaseRunner& owner, PhaseSpec what, int fd)
        : runner(owner),
          spec(std::move(what)),
          log_fd(fd),
          commands([this](std::string_view text) { mask(text); }, [this](std::string_view value) { add_mask(value); }),
          global(owner.parts_.loop),
          silence(owner.parts_.loop),
          last_command_timer(owner.parts_.loop),
          quiet(owner.parts_.loop) {}

    [[nodiscard]] bool masking_failed() const {
        return interruption && std::holds_alternative<MaskingFailed>(*interruption);
    }

    /// Runs `work`, which uses the masks. After the first failure, only our own message is output.
    void with_masks(const std::function<void()>& work) {
        if (masking_failed()) return;
        bool failed = false;
        try {
            work();
            failed = runner.parts_.masks.has_failed();
        } catch (const std::exception&) {
            failed = true;  // the message may quote text to be masked
        }
        if (!failed) return;
        interruption = MaskingFailed{};
        if (process) process->kill();
        log_error("masking failed during the phase " + std::string(name_of(spec.phase)) +
                  ": ending the phase, and dropping the rest of its output");
    }

    void hand_over(const MaskedChunk& text) {
        if (text.empty() || (runner.parts_.masks.has_failed() && !masking_failed())) return;
        log_size += text.size();
        Result<void> kept;
        if (log_size <= phase_log_limit) kept = write_all(log_fd, text.bytes());
        if (log_size > phase_log_limit) kept = fail("longer than " + std::to_string(phase_log_limit >> 20) + " MiB");
        if (!kept && !std::exchange(log_is_broken, true)) {
            log_error("the log of the phase " + std::string(name_of(spec.phase)) +
                      " in the run folder is incomplete (what is sent is complete): " + kept.error().message());
        }
        runner.parts_.log.output(spec.phase, text);
        reached("output logged");
    }

    /// Makes sure that values registered before a text are masked in it.
    void mask(std::string_view text) {
        const auto& set = runner.parts_.masks.current();
        if (set != masked_with) hand_over(masker->change_set(set));
        masked_with = set;
        hand_over(masker->write(text));
    }

    void drain_fifo() {
        if (spec.mask_fifo != nullptr) spec.mask_fifo->drain([this](std::string_view value) { add_mask(value); });
    }

    /// Called before output arrives. After a failure it only empties the FIFO, so that the command does not block.
    void drain_fifo_early() {
        if (masking_failed()) {
            spec.mask_fifo->drain([](std::string_view) {});
        } else {
            with_masks([this] { drain_fifo(); });
        }
    }

    /// When output arrives, also accept a value without a line end. A refusal is not reported: the rest of the value
    /// may still arrive.
    void take_unfinished_value() {
        if (spec.mask_fifo == nullptr) return;
        spec.mask_fifo->take_unfinished(
            [this](std::string_view value) { static_cast<void>(runner.parts_.masks.add(value)); });
    }

    void take(std::string_view bytes) {
        reached("output arrived");
        const bool is_its_own = last_byte != '\n' || !is_connector_chatter(bytes);
        with_masks([&] {
            last_byte = bytes.back();
            drain_fifo();
            take_unfinished_value();
            commands.write(bytes);
        });
        if (is_its_own) watch_silence();
        watch_quiet();
        if (process && runner.parts_.log.is_full()) {
            process->pause_output();
            silence.stop();
            runner.parts_.log.on_room([this] {
                if (!process) return;
                watch_silence();
                process->resume_output();
            });
        }
    }

    void add_mask(std::string_view value) {
        const auto added = runner.parts_.masks.add(value);
        if (added || std::exchange(told_of_refused_mask, true)) return;
        log_warning("a value that the " + std::string(name_of(spec.phase)) +
                    " command registers is not masked: " + added.error().message());
        mask("WARNING: a value to be masked is refused: " + added.error().message() + "\n");
    }

    /// Call this when all of the command's output has arrived.
    void finish_commands() {
        drain_fifo();
        if (spec.mask_fifo != nullptr) {
            spec.mask_fifo->take_unfinished([this](std::string_view value) { add_mask(value); });
        }
        commands.finish();
        if (spec.mask_fifo != nullptr && spec.mask_fifo->is_replaced()) {
            mask("WARNING: what was written to $TREBUCHET_MASK_FILE may not be masked: the FIFO was replaced\n");
        }
        mask("");
    }

    /// Writes something that readers of the job's log should know.
    void tell(const std::string& what) {
        with_masks([&] {
            mask((last_byte == '\n' ? "" : "\n") + what + "\n");
            last_byte = '\n';
        });
    }

    void tell_survivors() {
        const auto& survivors = process->survivors();
        if (survivors.empty()) return;
        const auto text = "ERROR: the agent could not end all processes of this phase: " + describe(survivors);
        tell(text);
        with_masks([&] { log_error(std::string(runner.parts_.masks.current()->mask(text).bytes())); });
    }

    void tell_limits() {
        const auto events = process->limit_events();
        const auto& limits = spec.process.limits;
        if (events.oom_kills > 0) {
            tell("ERROR: the job has used all of its memory, " + std::to_string(limits.memory) +
                 " bytes (trebuchet.limits.memory): the kernel killed " + std::to_string(events.oom_kills) +
                 " of its processes");
        }
        if (events.refused_forks > 0) {
            tell("ERROR: the job has reached its limit of " + std::to_string(limits.pids) +
                 " processes (trebuchet.limits.pids): starting another one failed (count: " +
                 std::to_string(events.refused_forks) + ")");
        }
    }

    void write_trailer() {
        with_masks([this] {
            std::string words;
            if (const auto* failed = std::get_if<CouldNotStart>(&*ended)) words = "ERROR: " + failed->reason;
            if (interruption) words = describe(*interruption);
            if (!words.empty()) mask((last_byte == '\n' ? "\n" : "\n\n") + words + "\n");
            hand_over(masker->finish());
        });
        if (!masking_failed()) return;
        try {
            hand_over(MaskedChunk::literal("\n").append(masking_failed_words).append("\n"));
        } catch (const std::exception&) {
            log_error("cannot say in the job's log that masking failed: out of memory");
        }
    }

    void watch_silence() {
        if (!spec.output_timeout || ended || is_silent) return;
        silence.start(*spec.output_timeout, [this] {
            is_silent = true;
            if (spec.output_timeout_command.empty()) return interrupt(OutputTimeout{*spec.output_timeout});
            run_last_command();
        });
    }

    /// Its output does not count as the phase's output: the phase is ended in any case.
    void run_last_command() {
        if (interruption || ended) return;
        tell("The phase has printed nothing for " + std::to_string(spec.output_timeout->count()) +
             " s: running trebuchet.output_timeout_command");
        if (spec.last_of_console && !spec.last_of_console().empty()) {
            with_masks([this] {
                mask("The serial console's last lines:\n");
                hand_over(masker->finish());
                hand_over(spec.last_of_console());
                hand_over(MaskedChunk::literal("\n"));
            });
        }
        ProcessSpec what;
        what.title = spec.process.title + "-output-timeout";
        what.command = spec.output_timeout_command;
        what.folder = spec.process.folder;
        what.environment = std::move(last_environment);
        what.user = spec.process.user;
        what.kill_grace = spec.process.kill_grace;
        if (!spec.process.cgroup.empty()) what.cgroup = spec.process.cgroup + "-output-timeout";
        last_command =
            Process::start(runner.parts_.loop, what,
                           {[this](std::string_view bytes) {
                                with_masks([&] {
                                    last_byte = bytes.back();
                                    mask(bytes);
                                });
                            },
                            [this](const ProcessEnd& end, std::size_t /*left*/) { last_command_ended(end); }, nullptr});
        last_command_timer.start(spec.output_timeout_command_limit, [this] {
            tell("trebuchet.output_timeout_command takes too long: ending it");
            if (last_command) last_command->kill();
        });
    }

    void last_command_ended(const ProcessEnd& end) {
        last_command_timer.stop();
        const auto* exited = std::get_if<Exited>(&end);
        if (const auto* failed = std::get_if<CouldNotStart>(&end)) {
            tell("trebuchet.output_timeout_command could not be started: " + failed->reason);
        } else if (exited == nullptr || exited->code != 0) {
            tell("trebuchet.output_timeout_command failed" +
                 (exited == nullptr ? std::string() : ": exit code " + std::to_string(exited->code)));
        }
        last_command_is_over = true;
        last_command->stop();
        interrupt(OutputTimeout{*spec.output_timeout});
    }

    /// True if only the phase's own command is running.
    [[nodiscard]] bool is_alone() const { return !last_command || last_command->is_gone(); }

    void watch_quiet() {
        if (ended || masking_failed() || masker->held() == 0) return quiet.stop();
        quiet.start(spec.release_after, [this] { release(); });
    }

    void release() {
        with_masks([this] {
            mask("");
            hand_over(masker->release());
        });
    }

    void interrupt(const Interruption& why) {
        if (last_command && !last_command_is_over) last_command->stop();
        if (interruption || ended) return;
        interruption = why;
        process->stop();
    }

    PhaseRunner& runner;
    PhaseSpec spec;
    int log_fd;
    std::optional<Masker> masker;
    std::shared_ptr<const MaskSet> masked_with;
    std::optional<ReadWatcher> fifo_watcher;
    AddMaskFilter commands;
    Timer global;
    Timer silence;
    Timer last_command_timer;
    Timer quiet;  ///< time since the last output
    std::unique_ptr<Process> process;
    std::unique_ptr<Process> last_command;  ///< output_timeout_command
    Environment last_environment;           ///< of last_command
    bool is_silent = false;                 ///< the output timeout has passed
    bool last_command_is_over = false;
    std::optional<ProcessEnd> ended;
    std::optional<Interruption> interruption;
    std::size_t left = 0;
    char last_byte = '\n';
    std::uint64_t log_size = 0;
    bool log_is_broken = false;
    bool told_of_refused_mask = false;
};

PhaseEnd PhaseRunner::run(PhaseSpec spec, int log_fd) {
    const std::string frame(spec.banner.size() + 4, '*');
    const std::string banner = frame + "\n* " + spec.banner + " *\n" + frame + "\n";
    Running run(*this, std::move(spec), log_fd);
    parts_.listeners.tell(&JobListener::process_starts, run.spec.phase, run.spec.marker);
    run.with_masks([&] {
        run.masked_with = parts_.masks.current();
        run.masker.emplace(run.masked_with, parts_.mask_report.at(name_of(run.spec.phase)));
        run.mask(banner);
        if (!run.spec.notes.empty()) run.mask(run.spec.notes);
    });
    if (run.masking_failed()) {
        run.write_trailer();
        return {CouldNotStart{describe(*run.interruption)}, run.interruption};
    }
    reached("starting the command");
    run.process = Process::start(parts_.loop, run.spec.process,
                                 {[&](std::string_view bytes) { run.take(bytes); },
                                  [&](const ProcessEnd& end, std::size_t left) {
                                      run.ended = end;
                                      run.left = left;
                                  },
                                  nullptr, [&](const std::string& what) { run.tell("WARNING: " + what); }});
    if (const auto supervisor = run.process->supervisor())
        parts_.listeners.tell(&JobListener::process_started, *supervisor);
    reached("command started");
    // It contains secrets; the process has its own copy by now.
    if (!run.spec.output_timeout_command.empty()) run.last_environment = std::move(run.spec.process.environment);
    run.spec.process.environment = {};
    running_ = &run;
    if (run.spec.mask_fifo != nullptr) {
        // Otherwise a command that fills the FIFO and prints nothing would block for ever.
        run.fifo_watcher.emplace(parts_.loop, run.spec.mask_fifo->fd(), [&] { run.drain_fifo_early(); });
    }
    if (run.spec.global_timeout) {
        run.global.start(*run.spec.global_timeout, [&] { run.interrupt(GlobalTimeout{*run.spec.global_timeout}); });
    }
    run.watch_silence();
    if (run.spec.can_be_cancelled) {
        parts_.control.watch_for_cancel([&] { run.interrupt(Cancelled{}); });
    }
    parts_.loop.run_until([&] { return run.ended && run.is_alone() && (run.process->is_gone() || !run.interruption); });
    running_ = nullptr;
    run.fifo_watcher.reset();
    reached("command ended");
    parts_.control.unwatch();
    parts_.log.on_room(nullptr);

    run.with_masks([&] { run.finish_commands(); });
    run.tell_survivors();
    run.tell_limits();
    run.write_trailer();
    reached("phase log complete");
    PhaseEnd end{*run.ended, run.interruption, run.process->survivors()};
    const auto cpu_time = run.process->cpu_time().value_or(std::chrono::microseconds(0));
    tell_end_of(*run.process, run.spec.phase, std::chrono::microseconds(0));
    if (run.process->is_gone()) return end;
    if (run.left > 0) {
        log_info("the " + std::string(name_of(run.spec.phase)) + " command left " + std::to_string(run.left) +
                 " processes running: they will be ended before cleanup");
    }
    leftovers_.push_back({run.spec.phase, std::move(run.process), cpu_time});
    return end;
}

void PhaseRunner::tell_end_of(const Process& process, Phase phase, std::chrono::microseconds told) {
    const auto cpu_time = process.cpu_time();
    if (cpu_time && *cpu_time > told) parts_.listeners.tell(&JobListener::cpu_used, phase, *cpu_time - told);
    if (process.is_gone() && !process.cgroup_problem().empty()) {
        log_warning(process.cgroup_problem() + "; the next start of the agent tries again");
    }
}

void PhaseRunner::stop() {
    if (running_ != nullptr && running_->spec.can_be_stopped) running_->interrupt(AgentStops{});
}

void PhaseRunner::stop_now() {
    stopping_now_ = true;
    if (running_ != nullptr) {
        running_->interrupt(AgentStops{});
        running_->process->kill(hurried_kill);
        if (running_->last_command) running_->last_command->kill(hurried_kill);
    }
    for (const auto& left : leftovers_) left.process->kill(hurried_kill);
}

std::vector<Survivor> PhaseRunner::end_leftovers() {
    for (const auto& left : leftovers_) stopping_now_ ? left.process->kill(hurried_kill) : left.process->stop();
    parts_.loop.run_until([&] {
        return std::all_of(leftovers_.begin(), leftovers_.end(),
                           [](const auto& left) { return left.process->is_gone(); });
    });
    std::vector<Survivor> survivors;
    for (const auto& [phase, process, cpu_time] : leftovers_) {
        survivors.insert(survivors.end(), process->survivors().begin(), process->survivors().end());
        tell_end_of(*process, phase, cpu_time);
    }
    leftovers_.clear();
    return survivors;
}

}  // namespace trebuchet
