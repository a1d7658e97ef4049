#pragma once

#include "provision/seed/cloud_config.hpp"
#include "provision/ssh/ssh.hpp"

#include <string>
#include <vector>

namespace trebuchet {

/// Creates the user in a system on one of the partitions ("/dev/sda1") of another host, for devices whose image is
/// known by what its partitions hold. Takes the first that holds one of these, else the last as if it held `etc`:
///
///     etc            a classic system     nocloud seed in var/lib/cloud
///     system-data    Ubuntu Core 16, 18   the same below system-data
///     snaps          Ubuntu Core 20       data/etc/cloud/cloud.cfg.d/99_nocloud.cfg
///
/// A line for sudoers is written into the same system, but not for Ubuntu Core 20. Mounts at `folder`, and unmounts
/// also after a failure. A partition that cannot be mounted is left out, but the last one must be mountable.
[[nodiscard]] Result<void> seed_partition(Ssh& ssh, const std::vector<std::string>& partitions,
                                          const std::string& folder, const FirstUser& user);

}  // namespace trebuchet
