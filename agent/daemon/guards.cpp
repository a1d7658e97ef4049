#include "agent/daemon/guards.hpp"

#include <utility>

namespace trebuchet {
namespace {

using std::chrono::seconds;
using std::chrono::system_clock;

constexpr std::uint64_t least_files = 64;

/// 2024-01-01, before this was written. A board without a battery starts in 1970, or when its image was made.
constexpr system_clock::time_point earliest{seconds(1'704'067'200)};
/// The clock of a lab's server may be off by a time zone; certificates and logs tolerate that.
constexpr seconds most_ahead{std::chrono::hours(24)};
/// The clock jumps after a suspend, or when NTP first answers. The time stamps of a job should not span a jump.
constexpr seconds jump_limit{60};
constexpr seconds settling_time{60};

std::string mebibytes(std::uint64_t bytes) {
    return std::to_string(bytes >> 20U) + " MiB";
}

}  // namespace

Guards::Guards(const Clock& clock, GuardLimits limits, GuardProbes probes)
    : clock_(clock), limits_(std::move(limits)), probes_(std::move(probes)) {}

std::optional<HeldBack> Guards::check() {
    if (auto problem = disk_problem(); !problem.empty()) return HeldBack{Guard::disk, std::move(problem)};
    if (auto problem = spool_problem(); !problem.empty()) return HeldBack{Guard::spool, std::move(problem)};
    if (auto problem = clock_problem(); !problem.empty()) return HeldBack{Guard::clock, std::move(problem)};
    if (auto problem = probes_.token_problem(); !problem.empty()) return HeldBack{Guard::token, std::move(problem)};
    return std::nullopt;
}

std::string Guards::disk_problem() {
    const bool was_bad = std::exchange(disk_was_bad_, true);
    for (const auto& folder : limits_.folders) {
        const auto space = probes_.disk(folder.path);
        if (!space) return space.error().message();
        const auto least = folder.least_bytes + (was_bad ? folder.least_bytes / 8 : 0);
        if (space->bytes < least) {
            return folder.path.string() + " has " + mebibytes(space->bytes) + " free, at least " + mebibytes(least) +
                   " are needed";
        }
        if (space->files < least_files) return folder.path.string() + " has no room for more files (inodes)";
    }
    disk_was_bad_ = false;
    return "";
}

std::string Guards::spool_problem() {
    const auto limit = spool_was_bad_ ? limits_.most_undelivered / 8 * 7 : limits_.most_undelivered;
    const auto bytes = probes_.undelivered();
    spool_was_bad_ = bytes >= limit;
    if (!spool_was_bad_) return "";
    return mebibytes(bytes) + " of earlier jobs are not delivered yet, the limit is " + mebibytes(limit) +
           ": see the agent's log for what the server refuses";
}

std::string Guards::clock_problem() {
    look_for_jump();
    const auto now = clock_.wall_time();
    if (now < earliest) return "the clock says " + iso8601(now) + ": set it, or wait for NTP";
    const auto ahead = probes_.server_is_ahead();
    if (ahead && (*ahead > most_ahead || *ahead < -most_ahead)) {
        const auto hours = std::chrono::duration_cast<std::chrono::hours>(*ahead).count();
        return "the clock says " + iso8601(now) + ", and the server's is " + std::to_string(hours) +
               " hours ahead: set the one that is wrong";
    }
    if (jumped_at_ && clock_.now() - *jumped_at_ < settling_time) {
        return "the clock was just set by " + std::to_string(jump_.count()) +
               " seconds: waiting a minute for it to settle";
    }
    return "";
}

void Guards::look_for_jump() {
    const auto now = clock_.wall_time();
    const auto offset =
        now.time_since_epoch() - std::chrono::duration_cast<system_clock::duration>(clock_.now().time_since_epoch());
    const auto before = std::exchange(wall_since_boot_, offset);
    if (!before) return;
    const auto jump = std::chrono::duration_cast<seconds>(offset - *before);
    if (jump < jump_limit && jump > -jump_limit) return;
    jumped_at_ = clock_.now();
    jump_ = jump;
}

}  // namespace trebuchet
