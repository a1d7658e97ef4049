#pragma once

#include "agent/job/added_masks.hpp"
#include "agent/job/job_control.hpp"
#include "agent/job/job_listener.hpp"
#include "agent/job/job_masks.hpp"
#include "agent/job/log_sink.hpp"
#include "agent/job/mask_report.hpp"
#include "agent/job/phase.hpp"
#include "common/event/event_loop.hpp"
#include "common/mask/masker.hpp"
#include "common/process/process.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace trebuchet {

/// Reasons why the agent ends a phase early.
struct GlobalTimeout {
    std::chrono::seconds limit;
};
struct OutputTimeout {
    std::chrono::seconds limit;
};
struct Cancelled {};
struct AgentStops {};
/// The masks could not be built, or masking failed: the rest of the phase's output is dropped.
struct MaskingFailed {};
using Interruption = std::variant<GlobalTimeout, OutputTimeout, Cancelled, AgentStops, MaskingFailed>;

/// The sentence for the log, in the reference agent's words.
[[nodiscard]] std::string describe(const Interruption& interruption);

struct PhaseEnd {
    ProcessEnd command;
    std::optional<Interruption> interruption;
    std::vector<Survivor> survivors{};  ///< processes that could not be killed

    /// 0 to 255, as in the reference agent: the exit code; 256 − n after signal n; 247 if the agent ended the command;
    /// 100 if the command could not start.
    [[nodiscard]] int exit_code() const;
};

/// The command of one phase, and what may end it early.
struct PhaseSpec {
    Phase phase = Phase::setup;
    std::string banner;  ///< one line: which phase starts where
    std::string notes;   ///< lines for the log, after the banner
    ProcessSpec process;
    std::string marker;  ///< NAME=VALUE, also in the process's environment
    std::optional<std::chrono::seconds> global_timeout;
    std::optional<std::chrono::seconds> output_timeout;
    /// Run once by /bin/sh in the phase's folder and environment before an output timeout ends the phase. Its output
    /// goes into the phase's log, after the last output of the device. "": none.
    std::string output_timeout_command{};
    std::chrono::milliseconds output_timeout_command_limit{60'000};
    std::function<const MaskedChunk&()> last_of_console{};  ///< null: unknown
    bool can_be_cancelled = false;
    bool can_be_stopped = false;  ///< when the agent stops
    /// The FIFO for values to mask, which the command may write to; null: none. Not owned.
    MaskFifo* mask_fifo = nullptr;
    /// After this time without output, shows as much of the held bytes as Masker::release() allows.
    std::chrono::milliseconds release_after{500};
};

/// Runs phases, one at a time, on the loop's thread: command → AddMaskFilter → Masker → phase log and log sink, live.
/// If masking fails, kills the command; output that was not masked goes nowhere.
class PhaseRunner {
  public:
    /// All of it must outlive this object.
    struct Parts {
        EventLoop& loop;
        LogSink& log;
        const JobListeners& listeners;
        JobControl& control;
        JobMasks& masks;
        MaskReport& mask_report;  ///< counts what is masked
    };
    explicit PhaseRunner(const Parts& parts) : parts_(parts) {}

    /// Runs the loop until the command has ended and its output is handed over; after an interruption, until its whole
    /// tree is gone. `log_fd`: the phase log for the masked output.
    PhaseEnd run(PhaseSpec spec, int log_fd);

    /// The agent stops: interrupts the running phase if `can_be_stopped`.
    void stop();

    /// The agent stops now: kills what runs and what was left running.
    void stop_now();

    /// Ends what commands left running in the background, and waits until it is gone. Returns what could not be killed.
    std::vector<Survivor> end_leftovers();

  private:
    struct Running;
    struct Leftover {
        Phase phase;
        std::unique_ptr<Process> process;
        std::chrono::microseconds cpu_time;  ///< that was already reported
    };
    /// Reports the CPU time since `told`, and a cgroup that could not be removed.
    void tell_end_of(const Process& process, Phase phase, std::chrono::microseconds told);

    Parts parts_;
    Running* running_ = nullptr;
    std::vector<Leftover> leftovers_;
    bool stopping_now_ = false;
};

}  // namespace trebuchet
