#pragma once

#include "agent/daemon/disk_space.hpp"
#include "common/base/clock.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// What may be in the way of taking a job.
enum class Guard {
    disk,   ///< a folder that a job needs is full or can't be written to
    spool,  ///< too much of former jobs is not delivered yet
    clock,  ///< the time of day is wrong, or was only just changed
    token,  ///< the file that this agent's authorization comes from can't be used
};
inline constexpr std::array all_guards{Guard::disk, Guard::spool, Guard::clock, Guard::token};
[[nodiscard]] std::string_view name_of(Guard guard);

struct HeldBack {
    Guard by = Guard::disk;
    std::string reason;  ///< a sentence that says what to do
};

struct GuardedFolder {
    std::filesystem::path path;
    std::uint64_t least_bytes = 0;  ///< free
};

struct GuardLimits {
    std::vector<GuardedFolder> folders;
    std::uint64_t most_undelivered = std::numeric_limits<std::uint64_t>::max();  ///< bytes
};

/// Where the figures come from.
struct GuardProbes {
    std::function<Result<DiskSpace>(const std::filesystem::path&)> disk = disk_space;
    std::function<std::uint64_t()> undelivered = [] { return std::uint64_t{0}; };  ///< bytes
    /// What is wrong with the token, or "".
    std::function<std::string()> token_problem = [] { return std::string(); };
    /// By how much the server's clock is ahead of ours; nothing: it did not say.
    std::function<std::optional<std::chrono::seconds>()> server_is_ahead = [] { return std::nullopt; };
};

/// Whether a job may be taken now. One that is taken while something of this is bad is a job that fails:
///
///     disk    a folder has less than its share free, or 64 inodes; good again with an eighth more
///     spool   as much is undelivered as the limit allows; good again below seven eighths of it
///     clock   before 2024; a day and more away from the server's; or it jumped by a minute within the last minute
///     token   token_problem() says so
class Guards {
  public:
    Guards(const Clock& clock, GuardLimits limits, GuardProbes probes);

    /// The first of them that is bad. To be asked before each poll.
    [[nodiscard]] std::optional<HeldBack> check();

  private:
    [[nodiscard]] std::string disk_problem();
    [[nodiscard]] std::string spool_problem();
    [[nodiscard]] std::string clock_problem();
    void look_for_jump();

    const Clock& clock_;
    GuardLimits limits_;
    GuardProbes probes_;
    bool disk_was_bad_ = false;
    bool spool_was_bad_ = false;
    std::optional<std::chrono::system_clock::duration> wall_since_boot_;  ///< wall time minus steady time
    std::optional<std::chrono::steady_clock::time_point> jumped_at_;
    std::chrono::seconds jump_{};
};

}  // namespace trebuchet
