#include "agent/job/job_limits.hpp"

#include "common/log/log.hpp"
#include "common/process/cgroup.hpp"

namespace trebuchet {

void enable_limits(JobLimits& limits) {
    const CgroupLimits wanted{limits.memory, limits.pids};
    if (!wanted.any()) return;
    const auto enabled = Cgroup::enable_limits(wanted);
    if (enabled) return;
    log_warning("trebuchet.limits has no effect: " + enabled.error().message() +
                "; set Delegate=yes in the agent's systemd unit");
    limits = {};
}

}  // namespace trebuchet
