#include "common/process/cgroup.hpp"

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

constexpr const char* hybrid =
    "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:9 - cgroup2 cgroup2 rw,nsdelegate\n";

TEST(CgroupFolder, IsBelowTheMountOfVersion2) {
    EXPECT_EQ(cgroup_folder("1:cpu:/x\n0::/system.slice/a.service\n", hybrid),
              "/sys/fs/cgroup/unified/system.slice/a.service");
    EXPECT_EQ(cgroup_folder("0::/\n", hybrid), "/sys/fs/cgroup/unified");
}

TEST(CgroupFolder, LeavesOutWhatTheMountDoesNotShow) {
    const auto* mount = "41 31 0:38 /lab /sys/fs/with\\040blank rw - cgroup2 cgroup2 rw\n";
    EXPECT_EQ(cgroup_folder("0::/lab/agent\n", mount), "/sys/fs/with blank/agent");
    EXPECT_EQ(cgroup_folder("0::/lab\n", mount), "/sys/fs/with blank");
    EXPECT_EQ(cgroup_folder("0::/laboratory\n", mount), "");
}

TEST(CgroupFolder, IsNothingWithoutVersion2OrOutsideOfOurNamespace) {
    EXPECT_EQ(cgroup_folder("4:memory:/x\n", hybrid), "");
    EXPECT_EQ(cgroup_folder("0::/a\n", "30 1 0:1 / /sys rw - sysfs sysfs rw\n"), "");
    EXPECT_EQ(cgroup_folder("0::/../other\n", hybrid), "");
    EXPECT_EQ(cgroup_folder("", ""), "");
}

}  // namespace
}  // namespace trebuchet
