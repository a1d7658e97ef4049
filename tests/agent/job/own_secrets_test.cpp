#include "agent/job/own_secrets.hpp"

#include "agent/job/job_masks.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <cstdlib>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace trebuchet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class OwnSecretsTest : public testing::Test {
  protected:
    std::vector<std::string> all() {
        std::vector<std::string> shown;
        for (const auto& secret : own_->all()) {
            shown.push_back(secret.name + "=" + std::string(secret.value.reveal()));
        }
        return shown;
    }

    TemporaryFolder folder_;
    std::shared_ptr<OwnSecrets> own_ = std::make_shared<OwnSecrets>();
};

TEST_F(OwnSecretsTest, AreTheTokensOfATokenFile) {
    own_->watch_file("token", folder_.write("token", R"({"refresh_token": "r-0001", "token_type": "bearer"})"));
    EXPECT_THAT(all(), ElementsAre("token=r-0001"));
}

TEST_F(OwnSecretsTest, AreTheWholeTextOfAnotherFile) {
    own_->watch_file("key", folder_.write("key", "k3y-of-the-lab\n"));
    EXPECT_THAT(all(), ElementsAre("key=k3y-of-the-lab"));
}

TEST_F(OwnSecretsTest, KeepTheFormerValueOfAFileThatChanges) {
    const auto file = folder_.write("token", R"({"refresh_token": "r-0001"})");
    own_->watch_file("token", file);
    const auto before = own_->look();
    folder_.write("token.new", R"({"refresh_token": "r-0002"})");
    std::filesystem::rename(folder_ / "token.new", file);
    EXPECT_THAT(all(), ElementsAre("token=r-0001", "token=r-0002"));
    ASSERT_EQ(own_->after(before).size(), 1U);
    EXPECT_EQ(own_->after(before)[0].value.reveal(), "r-0002");
}

TEST_F(OwnSecretsTest, WaitForNoFifoAndMissNoFile) {
    ASSERT_EQ(::mkfifo((folder_ / "fifo").c_str(), 0600), 0);
    own_->watch_file("key", folder_ / "fifo");
    own_->watch_file("other", folder_ / "missing");
    EXPECT_THAT(all(), IsEmpty());
    folder_.write("missing", "there now");
    EXPECT_THAT(all(), ElementsAre("other=there now"));
}

TEST_F(OwnSecretsTest, AreTheFilesOfAFolder) {
    std::filesystem::create_directory(folder_ / "credentials");
    folder_.write("credentials/secret_key", "k3y-of-the-lab");
    own_->watch_folder("credential", folder_ / "credentials");
    EXPECT_THAT(all(), ElementsAre("credential secret_key=k3y-of-the-lab"));
}

TEST_F(OwnSecretsTest, OfOneNameOnlyTheLastFewAreKept) {
    for (int i = 0; i < 10; ++i) own_->add("token", "value " + std::to_string(i));
    own_->add("key", "k3y");
    EXPECT_THAT(all(), ElementsAre("token=value 6", "token=value 7", "token=value 8", "token=value 9", "key=k3y"));
}

TEST_F(OwnSecretsTest, ArePasswordsOfProxies) {
    ::setenv("https_proxy", "http://lab:p%40ss-word@proxy:3128/", 1);
    ::setenv("HTTP_PROXY", "http://proxy:3128", 1);
    own_->add_proxies_of_environment();
    ::unsetenv("https_proxy");
    ::unsetenv("HTTP_PROXY");
    EXPECT_THAT(all(), ElementsAre("agent's proxy password=p%40ss-word", "agent's proxy password=p@ss-word"));
}

TEST_F(OwnSecretsTest, AreMaskedInAJobFromTheMomentWhenTheyAreThere) {
    const auto file = folder_.write("token", R"({"refresh_token": "r-00000001"})");
    own_->watch_file("agent's refresh token", file);
    JobMasks masks(
        MaskSet::none(), {}, [](std::string_view) {}, own_);
    EXPECT_THAT(std::string(masks.current()->mask("r-00000001").bytes()), Not(HasSubstr("r-0")));
    const auto set = masks.current();
    EXPECT_EQ(masks.current(), set);
    folder_.write("token.new", R"({"refresh_token": "r-00000002"})");
    std::filesystem::rename(folder_ / "token.new", file);
    own_->add("agent's access token", "a-00000003");
    EXPECT_THAT(std::string(masks.current()->mask("r-00000001 r-00000002 a-00000003").bytes()), Not(HasSubstr("-0")));
}

TEST_F(OwnSecretsTest, CostNoSecondCompilationIfTheSetHasThem) {
    own_->add("key", "k3y-of-the-lab");
    const auto set = *MaskSet::build(own_->all());
    JobMasks masks(
        set, {}, [](std::string_view) {}, own_);
    EXPECT_EQ(masks.current(), set);
}

}  // namespace
}  // namespace trebuchet
