#include "tests/integration/supervise/random_changes.hpp"

#include "tests/integration/harness/wait.hpp"
#include "tests/integration/supervise/host.hpp"

#include <algorithm>
#include <array>
#include <csignal>
#include <functional>
#include <map>
#include <random>
#include <vector>

#include <gmock/gmock.h>

namespace trebuchet::harness {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;

constexpr std::array devices{"d1", "d2", "d3", "d4"};

/// The lab's tree, and what git does to it.
class Changes {
  public:
    Changes(Host& host, unsigned seed) : host_(host), random_(seed) {
        for (const auto* device : devices) folders_[device] = device;
        lay();
    }

    void make_one() {
        static const std::array<std::function<void(Changes&)>, 8> kinds{
            &Changes::edit,       &Changes::remove,        &Changes::lay,       &Changes::replace_slowly,
            &Changes::half_write, &Changes::rename_folder, &Changes::duplicate, &Changes::swap_tree};
        kinds.at(below(kinds.size()))(*this);
    }
    /// The whole tree, one folder for each device.
    void lay() {
        for (const auto& entry : fs::directory_iterator(host_.tree())) fs::remove_all(entry);
        for (const auto& [device, folder] : folders_) host_.write(folder, device, {{"location", location_}});
    }
    std::size_t below(std::size_t limit) { return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random_); }
    std::string device() { return devices.at(below(devices.size())); }

  private:
    void edit() {
        location_ = "rack " + std::to_string(below(1000));
        const auto one = device();
        host_.write(folders_[one], one, {{"location", location_}});
    }
    void remove() { fs::remove_all(host_.tree() / folders_[device()]); }
    void replace_slowly() {
        fs::remove_all(host_.tree());
        wait();
        fs::create_directories(host_.tree());
        for (const auto& [device, folder] : folders_) {
            host_.write(folder, device, {{"location", location_}});
            if (below(2) == 0) wait();
        }
    }
    void half_write() {
        const auto one = device();
        fs::create_directories(host_.tree() / folders_[one]);
        static_cast<void>(host_.folder().write("tree/" + folders_[one] + "/testflinger-agent.conf",
                                               "agent_id: " + one + "\nserver_ad"));
        wait();
        if (below(2) == 0) edit();
    }
    void rename_folder() {
        const auto one = device();
        const auto renamed = one + "-" + std::to_string(below(1000));
        std::error_code missing;
        fs::rename(host_.tree() / folders_[one], host_.tree() / renamed, missing);
        if (!missing) folders_[one] = renamed;
    }
    void duplicate() { host_.write("0-copy", device(), {{"location", location_}}); }
    void swap_tree() {
        fs::rename(host_.tree(), host_.folder() / "old");
        if (below(2) == 0) wait();
        fs::rename(host_.folder() / "old", host_.tree());
    }
    /// Up to twice as long as `supervise` waits until it takes a folder for removed.
    void wait() {
        static_cast<void>(eventually([] { return false; }, milliseconds(below(600))));
    }

    Host& host_;
    std::mt19937 random_;
    std::map<std::string, std::string> folders_;  ///< device → folder
    std::string location_ = "rack";
};

std::vector<std::string> sorted(std::vector<std::string> all) {
    std::sort(all.begin(), all.end());
    return all;
}

}  // namespace

TEST_P(SuperviseThroughChanges, LosesNoJobAndRunsNoAgentTwice) {
    TemporaryFolder folder;
    const TestAuthority authority(folder.path(), "authority");
    LabServer server(folder / "server", authority);
    Host host(server);
    Changes changes(host, GetParam().seed);
    host.start();
    std::vector<std::string> jobs;
    for (std::size_t i = 0; i < GetParam().count; ++i) {
        for (std::size_t job = changes.below(4); job > 0; --job) {
            jobs.push_back(host.post(changes.device(), "0." + std::to_string(changes.below(9) + 1)));
        }
        changes.make_one();
        static_cast<void>(eventually([] { return false; }, milliseconds(changes.below(500))));
    }
    changes.lay();
    for (const auto* device : devices) jobs.push_back(host.post(device, "0.1"));
    for (const auto& job : jobs) {
        ASSERT_TRUE(server.reaches(job, "complete")) << job << "\n" << host.log();
        EXPECT_EQ(server.result(job)["test_status"], 0) << job << "\n" << host.log();
    }
    EXPECT_EQ(sorted(host.begun()), sorted(jobs)) << host.log();
    EXPECT_EQ(sorted(host.ended()), sorted(jobs)) << host.log();
    EXPECT_EQ(host.clashes(), "") << host.log();
    host.program().signal(SIGTERM);
    EXPECT_EQ(host.program().wait().code, 0) << host.log();
}

std::string name_of_changes(const ::testing::TestParamInfo<RandomChanges>& changes) {
    return std::to_string(changes.param.count) + "ChangesOfSeed" + std::to_string(changes.param.seed);
}

}  // namespace trebuchet::harness
