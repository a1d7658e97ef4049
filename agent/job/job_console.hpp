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

/// Runs `trebuchet.console_command` from a job's first phase to its end, in its own cgroup, to capture the device's
/// serial console. Sends the masked output as the serial log of the phase that is running. If the command ends,
/// restarts it after 1 to 30 s. Does nothing if no command is configured. Use it on the loop's thread.
class JobConsole {
  public:
    explicit JobConsole(RunningJob& job);
    JobConsole(const JobConsole&) = delete;
    JobConsole& operator=(const JobConsole&) = delete;
    ~JobConsole();

    /// Call this before each phase; only the first call has an effect. `folder`: the run folder.
    void start(const std::filesystem::path& folder);
    /// Ends the command and sends the rest of its output. Takes at most 5 s.
    void stop();
    /// Kills the command. Call this from a handler of the loop.
    void kill();
    /// The last output of the device, at most 2 KiB.
    [[nodiscard]] const MaskedChunk& last_lines() const { return tail_; }

  private:
    void run_command();
    void take(std::string_view bytes);
    void command_ended(const ProcessEnd& end);
    void hand_over(const MaskedChunk& text);
    /// Runs `work`, which uses the masks. If masking fails, ends the console and drops the rest of its output.
    void with_masks(const std::function<void()>& work);
    /// Pauses the command while the serial log is full.
    void wait_for_room();
    /// Makes sure that values registered before a text are masked in it.
    void use_newest_masks();

    RunningJob& job_;
    std::filesystem::path folder_;
    std::optional<Masker> masker_;
    std::shared_ptr<const MaskSet> masked_with_;
    std::unique_ptr<Process> process_;
    std::unique_ptr<Process> ended_;  ///< kept because its handler may be running
    Timer restart_;
    Timer quiet_;  ///< time since the last output
    Timer room_;
    Backoff pause_;
    std::chrono::steady_clock::time_point began_{};
    MaskedChunk tail_;
    bool is_started_ = false;
    bool is_stopping_ = false;
    bool has_complained_ = false;
};

}  // namespace trebuchet
