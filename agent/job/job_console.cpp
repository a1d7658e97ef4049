#include "agent/job/job_console.hpp"

#include "agent/job/phase_environment.hpp"
#include "agent/job/phase_step.hpp"
#include "agent/job/phase_user.hpp"
#include "common/log/log.hpp"

#include <algorithm>
#include <exception>
#include <utility>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t tail_size = 2048;
/// The console command has nothing to lose that is worth a longer wait at the end of each job.
constexpr std::chrono::milliseconds longest_grace = 2s;
constexpr auto release_after = 500ms;
constexpr auto between_looks_for_room = 250ms;
/// After this time, the command counts as having worked, and the restart wait starts from 1 s again.
constexpr auto good_run = 30s;

}  // namespace

JobConsole::JobConsole(RunningJob& job)
    : job_(job), restart_(job.parts.loop), quiet_(job.parts.loop), room_(job.parts.loop), pause_(1s, 30s, [] {
          return 0.999999;
      }) {}

JobConsole::~JobConsole() = default;

void JobConsole::start(const std::filesystem::path& folder) {
    if (job_.parts.config.trebuchet.console_command.empty() || std::exchange(is_started_, true)) return;
    folder_ = folder;
    with_masks([&] {
        masked_with_ = job_.masks.current();
        masker_.emplace(masked_with_, job_.mask_report.at("serial console"));
    });
    if (!is_stopping_) run_command();
}

void JobConsole::run_command() {
    if (ended_ && !ended_->is_gone()) return restart_.start(pause_.next(), [this] { run_command(); });
    const auto& config = job_.parts.config;
    ProcessSpec spec;
    spec.title = "console";
    spec.command = config.trebuchet.console_command;
    spec.folder = folder_;
    spec.environment = phase_environment(Environment::inherited(), config, {});
    if (job_.parts.phase_user) spec.user = job_.parts.phase_user->ids;
    spec.kill_grace = std::min(config.trebuchet.kill_grace, longest_grace);
    spec.cgroup = job_cgroup(job_.parts.secret_base, job_.parts.job.id) + "/console";
    began_ = std::chrono::steady_clock::now();
    ended_.reset();
    process_ = Process::start(job_.parts.loop, spec,
                              {[this](std::string_view bytes) { take(bytes); },
                               [this](const ProcessEnd& end, std::size_t /*left*/) { command_ended(end); }, nullptr});
}

void JobConsole::take(std::string_view bytes) {
    with_masks([&] {
        use_newest_masks();
        hand_over(masker_->write(bytes));
    });
    if (!masker_ || masker_->held() == 0) {
        quiet_.stop();
    } else {
        quiet_.start(release_after, [this] {
            with_masks([this] {
                use_newest_masks();
                hand_over(masker_->release());
            });
        });
    }
    wait_for_room();
}

void JobConsole::use_newest_masks() {
    const auto& set = job_.masks.current();
    if (set != masked_with_) hand_over(masker_->change_set(set));
    masked_with_ = set;
}

void JobConsole::wait_for_room() {
    if (!process_ || !job_.parts.log.is_serial_full()) return;
    process_->pause_output();
    room_.start(between_looks_for_room, [this] {
        if (!process_) return;
        if (job_.parts.log.is_serial_full()) return wait_for_room();
        process_->resume_output();
    });
}

void JobConsole::command_ended(const ProcessEnd& end) {
    room_.stop();
    ended_ = std::move(process_);
    if (is_stopping_) return;
    ended_->stop();  // what it left running would also read the console
    if (std::chrono::steady_clock::now() - began_ >= good_run) pause_.reset();
    if (!std::exchange(has_complained_, true)) {
        const auto* failed = std::get_if<CouldNotStart>(&end);
        log_warning("job " + job_.parts.job.id + ": trebuchet.console_command has ended" +
                    (failed == nullptr ? "" : ": " + failed->reason) +
                    "; restarting it, from now on without a message");
    }
    restart_.start(pause_.next(), [this] { run_command(); });
}

void JobConsole::hand_over(const MaskedChunk& text) {
    if (text.empty() || job_.masks.has_failed()) return;
    job_.parts.log.serial(job_.last_phase, text);
    tail_.append(text);
    if (tail_.size() > tail_size) (void)tail_.take_front(tail_.size() - tail_size);
}

void JobConsole::with_masks(const std::function<void()>& work) {
    bool has_failed = job_.masks.has_failed();
    try {
        if (!has_failed) work();
    } catch (const std::exception&) {
        has_failed = true;  // the message may quote text to be masked
    }
    if (!has_failed || std::exchange(is_stopping_, true)) return;
    log_error("job " + job_.parts.job.id +
              ": masking failed: ending trebuchet.console_command, and dropping the rest of its output");
    if (process_) process_->kill();
}

void JobConsole::kill() {
    is_stopping_ = true;
    restart_.stop();
    if (process_) process_->kill();
}

void JobConsole::stop() {
    if (!std::exchange(is_started_, false)) return;
    is_stopping_ = true;
    restart_.stop();
    if (process_) process_->stop();
    const auto is_over = [this] { return process_ == nullptr && (!ended_ || ended_->is_gone()); };
    if (ended_) ended_->stop();
    (void)job_.parts.loop.wait_for(longest_grace + 1s, is_over);
    quiet_.stop();
    room_.stop();
    process_.reset();
    ended_.reset();
    if (!masker_ || job_.masks.has_failed()) return;
    job_.with_masks("the end of the serial console's log is", [this] {
        use_newest_masks();
        hand_over(masker_->finish());
    });
    masker_.reset();
}

}  // namespace trebuchet
