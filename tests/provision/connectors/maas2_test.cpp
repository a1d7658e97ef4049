#include "tests/provision/connectors/stage_fixture.hpp"

#include <csignal>

#include <gmock/gmock.h>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class Maas2 : public StageTest {
  protected:
    Maas2() {
        config_.scalars["maas_user"] = "lab";
        config_.scalars["node_id"] = "abc";
        when("block-devices read", CommandExited{0}, "[]");
        when("node-script-results read", CommandExited{0}, "[]");
        commands_.answer = [this, rules = commands_.answer](const Command& command) -> std::optional<CommandResult> {
            if (command.argv.back() == "abc" && command.argv.at(3) == "read" && command.argv.at(2) == "machine") {
                auto status = statuses_.front();
                if (statuses_.size() > 1) statuses_.pop_front();
                return CommandResult{CommandExited{0},
                                     R"({"status_name": ")" + status + R"(", "ip_addresses": ["10.0.0.7"]})"};
            }
            return rules(command);
        };
    }
    /// As `when`, which replaces the answers.
    void also(const std::string& text, CommandEnd end, const std::string& output = "") {
        rules_.insert(rules_.begin(), Rule{text, std::move(end), output});
    }

    std::deque<std::string> statuses_{"Ready", "Ready", "Deployed"};
};

TEST_F(Maas2, DeploysWhatTheJobAsksFor) {
    job_ = R"({"provision_data": {"distro": "noble", "kernel": "ga-24.04", "user_data": "#cloud-config\n"}})";
    EXPECT_EQ(run("maas2"), 0);
    EXPECT_EQ(count("maas lab machine deploy abc distro_series=noble hwe_kernel=ga-24.04 "
                    "user_data=I2Nsb3VkLWNvbmZpZwo="),
              1U);
    EXPECT_EQ(count("set-storage-layout abc storage_layout=flat"), 1U);
    EXPECT_EQ(count("ubuntu@10.0.0.7"), 1U);
}

TEST_F(Maas2, ToldToStopWhileItFetchesTheLogItIsStoppedAndHasNotFailed) {
    statuses_ = {"Ready", "Ready", "Failed deployment"};
    int reads = 0;
    commands_.answer = [this, &reads,
                        rules = commands_.answer](const Command& command) -> std::optional<CommandResult> {
        if (command.argv.at(2) != "node-script-results" || ++reads == 1) return rules(command);
        interrupt_.signal = SIGTERM;
        return CommandResult{CommandInterrupted{SIGTERM}, ""};
    };
    EXPECT_EQ(run("maas2"), 128 + SIGTERM);
}

TEST_F(Maas2, DefaultDisksOfTheWrongShapeAreNotIgnored) {
    config_.keys.insert("default_disks");
    const auto result = run("maas2");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().name, "ConfigError");
    EXPECT_THAT(result.error().message, HasSubstr("default_disks: expected a list"));
    EXPECT_TRUE(commands_.commands.empty());
    EXPECT_EQ(run("maas2", Stage::cleanup), 0) << "the machine is given back all the same";
}

TEST_F(Maas2, HasABoundForDisks) {
    std::string disks;
    for (int i = 0; i < 501; ++i) disks += (i == 0 ? "{}" : ", {}");
    job_ = R"({"provision_data": {"disks": [)" + disks + "]}}";
    EXPECT_THAT(run("maas2").error().message, HasSubstr("at most 500"));
}

TEST_F(Maas2, AReleaseThatIsStuckTakesTheDeviceOffline) {
    statuses_ = {"Releasing"};
    for (const auto stage : {Stage::provision, Stage::cleanup}) {
        const auto result = run("maas2", stage);
        ASSERT_FALSE(result);
        EXPECT_EQ(result.error().exit_code, 46);
        EXPECT_EQ(result.error().message, "Device recovery failed!");
    }
}

TEST_F(Maas2, AMarkBrokenThatFailsIsNoReasonToLeaveThePowerOn) {
    statuses_ = {"Releasing"};
    also("mark-broken", CommandExited{2}, "no\n");
    EXPECT_EQ(run("maas2", Stage::cleanup).error().exit_code, 46);
    EXPECT_EQ(count("power-off"), 1U);
}

TEST_F(Maas2, AnErrorOfMaasIsTriedAgainAndNamedAsUsersKnowIt) {
    also("machines allocate", CommandExited{2}, "No machine 'x'\n");
    const auto result = run("maas2");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().exit_code, 1);
    const std::string one = R"((2, "No machine 'x'\n"))";
    EXPECT_EQ(result.error().message, "[" + one + ", " + one + ", " + one + ", " + one + "]");
    EXPECT_THAT(interrupt_.waits, testing::ElementsAre(10s, 10s, 20s, 40s));
}

TEST_F(Maas2, ACommandThatHangsHasALimitAndCountsAsFailed) {
    also("machine release", CommandTimedOut{});
    EXPECT_THAT(run("maas2").error().message, HasSubstr("124"));
}

TEST_F(Maas2, SetsABootOrderOnlyIfItFindsOne) {
    config_.scalars["reset_efi"] = "true";
    also("efibootmgr -v", CommandExited{0}, "Warning:\nBootCurrent: 0003\n");
    EXPECT_EQ(run("maas2"), 0);
    EXPECT_EQ(count("efibootmgr -o"), 0U);
    also("efibootmgr -v", CommandExited{255});
    statuses_ = {"Ready", "Ready", "Deployed"};
    EXPECT_EQ(run("maas2"), 0);
    EXPECT_EQ(count("snap install"), 0U) << "nobody is there to install it on";
}

TEST_F(Maas2, KeepsTheReasonWhenTheLogOfAFailedDeploymentIsNotThere) {
    statuses_ = {"Ready", "Ready", "Failed deployment"};
    also("node-script-result download", CommandExited{2}, "gone\n");
    EXPECT_THAT(run("maas2").error().message, HasSubstr("deployment failure status signal"));
}

TEST_F(Maas2, EndsWhenToldToStop) {
    statuses_ = {"Ready", "Ready", "Deploying"};
    interrupt_.signal = SIGTERM;
    interrupt_.waits_before_signal = 4;
    EXPECT_EQ(run("maas2"), 128 + SIGTERM);
}

TEST_F(Maas2, NeedsItsKeys) {
    for (const auto* key : {"maas_user", "node_id"}) {
        auto& value = config_.scalars[key];
        const auto kept = std::exchange(value, "");
        EXPECT_THAT(run("maas2").error().message, HasSubstr(std::string(key) + " is missing"));
        value = "--help";
        EXPECT_FALSE(run("maas2"));
        value = kept;
    }
    config_.scalars["timeout_min"] = "soon";
    EXPECT_THAT(run("maas2").error().message, HasSubstr("timeout_min"));
    config_.scalars.erase("timeout_min");
    config_.device_ip = "";
    EXPECT_THAT(run("maas2").error().message, HasSubstr("device_ip is missing"));
    EXPECT_EQ(commands_.commands.size(), 0U);
}

}  // namespace
}  // namespace trebuchet
