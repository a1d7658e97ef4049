#pragma once

#include "agent/daemon/disk_space.hpp"
#include "agent/job/held_back.hpp"
#include "common/base/clock.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace trebuchet {

struct GuardedFolder {
    std::filesystem::path path;
    std::uint64_t least_bytes = 0;  ///< free
};

struct GuardLimits {
    std::vector<GuardedFolder> folders;
    std::uint64_t most_undelivered = std::numeric_limits<std::uint64_t>::max();  ///< bytes
};

/// The sources of the figures.
struct GuardProbes {
    std::function<Result<DiskSpace>(const std::filesystem::path&)> disk = disk_space;
    std::function<std::uint64_t()> undelivered = [] { return std::uint64_t{0}; };  ///< bytes
    /// What is wrong with the token, or "".
    std::function<std::string()> token_problem = [] { return std::string(); };
    /// How far the server's clock is ahead of ours; nullopt: unknown.
    std::function<std::optional<std::chrono::seconds>()> server_is_ahead = [] { return std::nullopt; };
};

/// Decides whether the agent may take a job now. A job that is taken while a guard is bad would fail:
///
///     disk    a folder has less than its share free, or fewer than 64 inodes; good again with an eighth more
///     spool   the undelivered data has reached the limit; good again below seven eighths of it
///     clock   before 2024; more than a day away from the server's; or it jumped by a minute within the last minute
///     token   token_problem() says so
class Guards {
  public:
    Guards(const Clock& clock, GuardLimits limits, GuardProbes probes);

    /// Returns the first bad guard. Call it before each poll.
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
