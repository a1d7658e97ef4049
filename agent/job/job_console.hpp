#pragma once

#include "agent/job/running_job.hpp"
#include "common/base/backoff.hpp"
#include "common/event/event_loop.hpp"
#include "common/mask/masker.hpp"
#include "common/process/process.hpp"

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

namespace trebuchet {

/// The device's serial console during a whole job: runs `trebuchet.console_command` from the first phase to the job's
/// end, in a cgroup of its own, and sends what it prints, masked, as the serial log of the phase that runs. A command
/// that ends is started again after 1 to 30 s. On the loop's thread. Does nothing if no command is configured.
class JobConsole {
  public:
    explicit JobConsole(RunningJob& job);
    JobConsole(const JobConsole&) = delete;
    JobConsole& operator=(const JobConsole&) = delete;
    ~JobConsole();

    /// Before a phase. `folder`: the run folder. Again: no effect.
    void start(const std::filesystem::path& folder);
    /// Ends the command, and sends what it has printed. Takes 5 s at most.
    void stop();
    /// Kills the command. Call this from a handler of the loop.
    void kill();
    /// What the device printed last, at most 2 KiB.
    [[nodiscard]] const MaskedChunk& last_lines() const { return tail_; }

  private:
    void run_command();
    void take(std::string_view bytes);
    void command_ended(const ProcessEnd& end);
    void hand_over(const MaskedChunk& text);
    /// Runs `work`, which needs the masks. If masking fails, the console ends, and the rest of it is left out.
    void with_masks(const std::function<void()>& work);
    /// While the serial log is full, the command waits.
    void wait_for_room();
    /// Values that were registered before the text are masked in it.
    void use_newest_masks();

    RunningJob& job_;
    std::filesystem::path folder_;
    std::optional<Masker> masker_;
    std::shared_ptr<const MaskSet> masked_with_;
    std::unique_ptr<Process> process_;
    std::unique_ptr<Process> ended_;  ///< whose handler may be running
    Timer restart_;
    Timer quiet_;  ///< since the last output
    Timer room_;
    Backoff pause_;
    std::chrono::steady_clock::time_point began_{};
    MaskedChunk tail_;
    bool is_started_ = false;
    bool is_stopping_ = false;
    bool has_complained_ = false;
};

}  // namespace trebuchet
