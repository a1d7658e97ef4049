#include "agent/cli/instance_command.hpp"

#include "agent/config/load_config.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

namespace fs = std::filesystem;

NewInstance rpi4() {
    NewInstance instance;
    instance.name = "rpi4-1";
    instance.server = "https://lab.example.com";
    instance.queues = {"rpi4", "arm: 64"};
    instance.connector = "muxpi";
    return instance;
}

TEST(InstanceName, MayBeWhatAUnitAndAFolderCanBeNamed) {
    for (const std::string good : {"rpi4-1", "Audino.Lab_7", "0"}) EXPECT_TRUE(check_instance_name(good)) << good;
    const std::vector<std::string> all_bad{"", "-c", ".hidden", "a/b", "a b", "a@b", "ä", std::string(65, 'a')};
    for (const auto& bad : all_bad) EXPECT_FALSE(check_instance_name(bad)) << bad;
}

TEST(InstanceUser, IsNamedAsTheInstanceIfAUserCan) {
    EXPECT_EQ(user_of_instance("rpi4-1"), "trebuchet-rpi4-1");
}

TEST(InstanceUser, IsDerivedFromANameThatNoUserCanHave) {
    const auto user = user_of_instance("Audino.Lab_7");
    EXPECT_THAT(user, testing::MatchesRegex("trebuchet-audino-lab_7-[0-9a-f]+"));
    EXPECT_NE(user, user_of_instance("audino.lab_7"));
    EXPECT_EQ(user_of_instance(std::string(64, 'x')).size(), 31U);
    EXPECT_NE(user_of_instance(std::string(64, 'x')), user_of_instance(std::string(63, 'x')));
}

TEST(InstanceConfiguration, IsReadAsItWasMeant) {
    auto instance = rpi4();
    instance.client_id = "lab \"1\"";
    instance.ca_file = "/etc/ssl/lab.pem";
    const auto loaded = parse_config(instance_configuration(instance), "a.conf");
    ASSERT_TRUE(loaded) << loaded.error().front().message();
    EXPECT_TRUE(loaded->warnings.empty());
    EXPECT_EQ(loaded->config.agent_id, "rpi4-1");
    EXPECT_THAT(loaded->config.job_queues, ElementsAre("rpi4", "arm: 64"));
    EXPECT_EQ(loaded->config.phase_commands.at("test"),
              "trebuchet-provision muxpi runtest -c /etc/trebuchet/rpi4-1/default.yaml testflinger.json");
    EXPECT_EQ(loaded->config.trebuchet.client_id, "lab \"1\"");
    EXPECT_EQ(loaded->config.trebuchet.secret_key_file, "/etc/trebuchet/rpi4-1/secret_key");
    EXPECT_EQ(loaded->config.trebuchet.tls.ca_file, "/etc/ssl/lab.pem");
}

TEST(InstanceConfiguration, OfAnAgentWithATokenFileHasNoLogin) {
    EXPECT_THAT(instance_configuration(rpi4()), Not(HasSubstr("trebuchet:")));
}

/// A root folder of its own, as an image has one.
class InstanceInARoot : public testing::Test {
  protected:
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "NOT TESTED: only root makes users";
        fs::create_directories(root_.path() / "etc");
    }
    int add(const NewInstance& instance) {
        testing::internal::CaptureStdout();
        testing::internal::CaptureStderr();
        const int code = add_instance(instance, root_.path());
        told_ = testing::internal::GetCapturedStdout() + testing::internal::GetCapturedStderr();
        return code;
    }
    struct stat info_of(const fs::path& path) const {
        struct stat info {};
        EXPECT_EQ(::stat((root_.path() / path).c_str(), &info), 0) << path;
        return info;
    }
    bool is_there(const fs::path& path) const { return fs::exists(root_.path() / path); }

    TemporaryFolder root_;
    std::string told_;
};

TEST_F(InstanceInARoot, HasAUserAndAKeyThatOnlyThisUserReads) {
    auto instance = rpi4();
    instance.client_id = "lab";
    instance.key_file = root_.write("key", "hunter22\n");
    ASSERT_EQ(add(instance), 0) << told_;
    EXPECT_THAT(text_of(root_.path() / "etc/passwd"), HasSubstr("trebuchet-rpi4-1:"));
    EXPECT_EQ(text_of(root_.path() / "etc/trebuchet/rpi4-1/secret_key"), "hunter22");
    const auto key = info_of("etc/trebuchet/rpi4-1/secret_key");
    EXPECT_EQ(key.st_mode & 0777U, 0400U);
    EXPECT_NE(key.st_uid, 0U);
    const auto configuration = info_of("etc/trebuchet/rpi4-1/testflinger-agent.conf");
    EXPECT_EQ(configuration.st_uid, 0U);
    EXPECT_EQ(configuration.st_gid, key.st_gid);
    EXPECT_EQ(configuration.st_mode & 0777U, 0640U);
    EXPECT_EQ(info_of("etc/trebuchet/rpi4-1").st_mode & 0777U, 0750U);
    EXPECT_THAT(told_, HasSubstr("systemctl enable --now trebuchet-agent@rpi4-1"));
    EXPECT_THAT(told_, Not(HasSubstr("hunter22")));
}

TEST_F(InstanceInARoot, TellsTheUnitOfAUserWithAnotherName) {
    auto instance = rpi4();
    instance.name = "Audino.Lab_7";
    ASSERT_EQ(add(instance), 0) << told_;
    EXPECT_EQ(text_of(root_.path() / "etc/systemd/system/trebuchet-agent@Audino.Lab_7.service.d/10-user.conf"),
              "[Service]\nUser=" + user_of_instance("Audino.Lab_7") + "\n");
}

TEST_F(InstanceInARoot, IsNotMadeTwice) {
    ASSERT_EQ(add(rpi4()), 0) << told_;
    EXPECT_EQ(add(rpi4()), 2);
    EXPECT_THAT(told_, HasSubstr("already exists"));
}

TEST_F(InstanceInARoot, NeedsAKeyForItsClientId) {
    auto instance = rpi4();
    instance.client_id = "lab";
    EXPECT_EQ(add(instance), 2);
    EXPECT_THAT(told_, HasSubstr("found only --client-id, expected both or neither"));
    EXPECT_FALSE(is_there("etc/trebuchet"));
}

TEST_F(InstanceInARoot, IsListedWithItsServerAndQueues) {
    ASSERT_EQ(add(rpi4()), 0) << told_;
    testing::internal::CaptureStdout();
    EXPECT_EQ(list_instances(root_.path()), 0);
    EXPECT_THAT(testing::internal::GetCapturedStdout(),
                testing::MatchesRegex("rpi4-1 +trebuchet-rpi4-1 +https://lab.example.com +rpi4,arm: 64\n"));
}

TEST_F(InstanceInARoot, KeepsItsStateWhenItIsRemovedUnlessPurged) {
    ASSERT_EQ(add(rpi4()), 0) << told_;
    fs::create_directories(root_.path() / "var/lib/trebuchet/rpi4-1/jobs");
    testing::internal::CaptureStdout();
    EXPECT_EQ(remove_instance("rpi4-1", false, root_.path()), 0);
    EXPECT_FALSE(is_there("etc/trebuchet/rpi4-1"));
    EXPECT_TRUE(is_there("var/lib/trebuchet/rpi4-1/jobs"));
    ASSERT_EQ(add_instance(rpi4(), root_.path()), 0);
    EXPECT_EQ(remove_instance("rpi4-1", true, root_.path()), 0);
    testing::internal::GetCapturedStdout();
    EXPECT_FALSE(is_there("var/lib/trebuchet/rpi4-1"));
    EXPECT_THAT(text_of(root_.path() / "etc/passwd"), Not(HasSubstr("trebuchet-rpi4-1")));
}

TEST_F(InstanceInARoot, ThatIsMissingCanNotBeRemoved) {
    testing::internal::CaptureStderr();
    EXPECT_EQ(remove_instance("gone", false, root_.path()), 2);
    EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("there is no instance gone"));
}

}  // namespace
}  // namespace trebuchet
