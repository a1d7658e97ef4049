#include "common/process/cgroup.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

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

/// A folder that has a cgroup's files, but no kernel behind them.
class FakeGroup : public testing::Test {
  protected:
    void has(const std::string& file, const std::string& text) const { folder_.write(file, text); }
    [[nodiscard]] std::string content(const std::string& file) const {
        std::ifstream stream(folder_ / file);
        return {std::istreambuf_iterator<char>(stream), {}};
    }

    TemporaryFolder folder_;
};

TEST_F(FakeGroup, GivesOnControllersOnceItsProcessesHaveMoved) {
    has("cgroup.controllers", "cpu memory pids\n");
    has("cgroup.subtree_control", "");
    has("cgroup.procs", "");
    EXPECT_THAT(missing_controllers(folder_.path(), {1, 1}), IsEmpty());
    const auto enabled = enable_controllers(folder_.path(), {1, 1});
    EXPECT_TRUE(enabled) << enabled.error().message();
    EXPECT_EQ(content("cgroup.subtree_control"), "+memory +pids");
    has("cgroup.subtree_control", "memory pids\n");
    EXPECT_TRUE(enable_controllers(folder_.path(), {1, 1}));
    EXPECT_EQ(content("cgroup.subtree_control"), "memory pids\n");
}

TEST_F(FakeGroup, WithoutAControllerCanNotLimitWhatThatControls) {
    has("cgroup.controllers", "cpu pids\n");
    EXPECT_THAT(missing_controllers(folder_.path(), {1, 1}), ElementsAre("memory"));
    EXPECT_THAT(missing_controllers(folder_.path(), {0, 1}), IsEmpty());
    const auto enabled = enable_controllers(folder_.path(), {1, 0});
    ASSERT_FALSE(enabled);
    EXPECT_THAT(enabled.error().message(), HasSubstr("has no controller memory"));
    EXPECT_FALSE(write_limits(folder_.path(), {1, 0}));
}

TEST_F(FakeGroup, GetsTheLimitsThatAreSetAndCountsWhatTheyDo) {
    has("memory.max", "max\n");
    has("pids.max", "max\n");
    EXPECT_TRUE(write_limits(folder_.path(), {0, 12}));
    EXPECT_EQ(content("memory.max"), "max\n");
    EXPECT_EQ(content("pids.max").substr(0, 2), "12");
    EXPECT_TRUE(write_limits(folder_.path(), {1'000'000, 12}));
    EXPECT_EQ(content("memory.max"), "1000000");
    EXPECT_EQ(read_limit_events(folder_.path()).oom_kills, 0U);
    has("memory.events", "low 0\nhigh 0\nmax 9\noom 3\noom_kill 2\n");
    has("pids.events", "max 5\n");
    const auto events = read_limit_events(folder_.path());
    EXPECT_EQ(events.oom_kills, 2U);
    EXPECT_EQ(events.refused_forks, 5U);
}

/// Of the kernel, where the test may make some.
class RealCgroup : public testing::Test {
  protected:
    void SetUp() override {
        if (!Cgroup::is_available()) GTEST_SKIP() << "NOT TESTED: cannot create a cgroup here";
    }
    void TearDown() override {
        for (auto& left : Cgroup::find(job_)) {
            while (left.remove_some(1000) == Cgroup::Removal::working) continue;
        }
    }
    [[nodiscard]] Cgroup make(const std::string& phase) const {
        auto made = Cgroup::make(job_ + "/" + phase);
        if (!made) throw std::runtime_error(made.error().message());
        return std::move(*made);
    }
    static void write(const fs::path& file, const std::string& text) { std::ofstream(file) << text; }

    std::string job_ = "trebuchet-test-" + std::to_string(::getpid());
};

TEST_F(RealCgroup, IsNewAndThawedWhateverSomebodyLeftInItsPlace) {
    auto test = make("test");
    const auto job = test.path().parent_path();
    fs::create_directories(job / "cleanup" / "a" / "b");
    write(job / "cleanup" / "cgroup.freeze", "1");
    write(job / "cgroup.freeze", "1");
    auto cleanup = make("cleanup");
    EXPECT_EQ(cleanup.path(), job / "cleanup");
    EXPECT_FALSE(fs::exists(cleanup.path() / "a"));
    EXPECT_FALSE(cleanup.thaw());
    write(job / "cgroup.freeze", "1");
    EXPECT_TRUE(cleanup.thaw());
    EXPECT_FALSE(cleanup.thaw());
}

TEST_F(RealCgroup, OfAnotherJobsNameIsMadeWhereAThreadedOneTakesNoProcesses) {
    const auto job = make("test").path().parent_path();
    fs::remove(job / "test");
    fs::create_directory(job / "x");
    write(job / "x" / "cgroup.type", "threaded");
    const auto cleanup = make("cleanup");
    EXPECT_EQ(cleanup.path().parent_path(), job.string() + ".1");
    EXPECT_EQ(Cgroup::find(job_).size(), 2U);
    EXPECT_THAT(Cgroup::jobs(job_), ElementsAre(job_));
}

TEST_F(RealCgroup, IsRemovedInStepsWithAllThatWasMadeInIt) {
    auto group = make("test");
    auto deep = group.path();
    for (int level = 0; level < 50; ++level) deep /= "level";
    fs::create_directories(deep);
    for (int number = 0; number < 50; ++number) fs::create_directory(group.path() / std::to_string(number));
    int steps = 1;
    while (group.remove_some(20) == Cgroup::Removal::working) ++steps;
    EXPECT_GT(steps, 5);
    EXPECT_FALSE(fs::exists(group.path().parent_path()));
    EXPECT_EQ(group.remove_some(1), Cgroup::Removal::done);
}

}  // namespace
}  // namespace trebuchet
