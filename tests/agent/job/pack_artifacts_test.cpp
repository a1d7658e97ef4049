#include "agent/job/pack_artifacts.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PackArtifactsTest : public testing::Test {
  protected:
    PackArtifactsTest() {
        std::vector<NamedSecret> secrets;
        secrets.push_back({"TOKEN", SecretString("s3cret-value")});
        masks_ = *MaskSet::build(std::move(secrets), {3, MaskHash::sha256});
        std::filesystem::create_directory(folder_ / "artifacts");
        folder_.write("artifacts/fine", "fine");
        folder_.write("artifacts/log", "of s3cret-value");
    }

    PackedArtifacts pack(ArtifactsMasking masking) const {
        auto packed = pack_artifacts(folder_ / "artifacts", folder_ / "archive.tar.gz", masking, masks_);
        if (!packed) throw std::runtime_error(packed.error().message());
        return std::move(*packed);
    }
    /// A file's content out of the archive; "" if it is not there.
    [[nodiscard]] std::string packed(const std::string& name) const {
        const auto here = "cd '" + folder_.path().string() + "' && ";
        const auto command = here + "rm -f out && tar xzOf archive.tar.gz 'artifacts/" + name + "' > out 2> /dev/null";
        return std::system(command.c_str()) == 0 ? text_of(folder_ / "out") : "";
    }

    TemporaryFolder folder_;
    std::shared_ptr<const MaskSet> masks_;
};

TEST_F(PackArtifactsTest, MasksText) {
    folder_.write("artifacts.old", "");
    folder_.write("archive.tar.gz", "what stood there");
    const auto result = pack(ArtifactsMasking::mask);
    EXPECT_TRUE(result.may_be_sent);
    EXPECT_THAT(result.withheld, IsEmpty());
    EXPECT_EQ(result.found.total(), 1U);
    EXPECT_EQ(packed("log"), "of " + std::string(masks_->mask("s3cret-value").bytes()));
    EXPECT_EQ(packed("fine"), "fine");
}

TEST_F(PackArtifactsTest, WithholdsText) {
    const auto result = pack(ArtifactsMasking::withhold);
    EXPECT_TRUE(result.may_be_sent);
    EXPECT_THAT(result.withheld, ElementsAre(HasSubstr("artifacts/log")));
    EXPECT_EQ(packed("log"), "");
    EXPECT_THAT(packed("log.withheld.txt"), HasSubstr("TOKEN"));
    EXPECT_EQ(packed("fine"), "fine");
}

TEST_F(PackArtifactsTest, SendsNothingOnceThereIsASecret) {
    EXPECT_FALSE(pack(ArtifactsMasking::fail).may_be_sent);
    EXPECT_FALSE(std::filesystem::exists(folder_ / "archive.tar.gz"));
    std::filesystem::rename(folder_ / "artifacts/log", folder_ / "log");
    EXPECT_TRUE(pack(ArtifactsMasking::fail).may_be_sent);
    EXPECT_EQ(packed("fine"), "fine");
    folder_.write("artifacts/s3cret-value", "");
    EXPECT_FALSE(pack(ArtifactsMasking::fail).may_be_sent);
}

TEST_F(PackArtifactsTest, LeavesThemAsTheyAre) {
    EXPECT_TRUE(pack(ArtifactsMasking::off).found.empty());
    EXPECT_EQ(packed("log"), "of s3cret-value");
}

TEST_F(PackArtifactsTest, FailsWithoutAFolder) {
    EXPECT_FALSE(pack_artifacts(folder_ / "none", folder_ / "archive.tar.gz", ArtifactsMasking::mask, masks_));
}

}  // namespace
}  // namespace trebuchet
