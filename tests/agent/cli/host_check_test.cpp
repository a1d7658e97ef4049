#include "agent/cli/host_check.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class KeyWeaknesses : public testing::Test {
  protected:
    KeyWeaknesses() {
        config_.trebuchet.secrets.key_folder = folder_ / "keys";
        config_.trebuchet.secrets.repositories.push_back({.url = "https://git.example.org/a", .client_ids = {"a"}});
    }
    const TemporaryFolder folder_;
    Config config_;
};

TEST_F(KeyWeaknesses, JobsOfTheAgentsUserCanReadTheKeys) {
    EXPECT_THAT(key_weaknesses(config_), ElementsAre(testing::AllOf(HasSubstr("every job can read the private keys"),
                                                                    HasSubstr("set trebuchet.phase_user"))));
    EXPECT_THAT(host_weaknesses(config_, "", ""), Contains(HasSubstr("every job can read the private keys")));
    config_.trebuchet.phase_user = "lab-jobs";
    EXPECT_THAT(key_weaknesses(config_), IsEmpty());
}

TEST_F(KeyWeaknesses, ThereAreNoneWithoutRepositories) {
    config_.trebuchet.secrets.repositories.clear();
    EXPECT_THAT(key_weaknesses(config_), IsEmpty());
}

TEST_F(KeyWeaknesses, AFolderThatCannotBeUsedIsSaidWithItsReason) {
    config_.trebuchet.phase_user = "lab-jobs";
    std::filesystem::create_directory(folder_ / "keys");
    std::filesystem::permissions(folder_ / "keys", std::filesystem::perms(0755));
    EXPECT_THAT(key_weaknesses(config_),
                ElementsAre(testing::AllOf(HasSubstr("cannot be decrypted"), HasSubstr("chmod 0700"))));
}

}  // namespace
}  // namespace trebuchet
