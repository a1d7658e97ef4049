#include "common/file/trusted_file.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;

namespace fs = std::filesystem;

class TrustedFile : public testing::Test {
  protected:
    void SetUp() override { ASSERT_TRUE(write_trusted(file_, "text")); }
    Result<std::string> read(bool own_files_are_trusted = true) {
        return read_trusted(file_, 100, own_files_are_trusted);
    }

    TemporaryFolder folder_;
    fs::path file_ = folder_ / "file";
};

TEST_F(TrustedFile, OfRootIsRead) {
    if (::geteuid() != 0) GTEST_SKIP() << "NOT TESTED: needs root";
    EXPECT_EQ(read(false), "text");
}

TEST_F(TrustedFile, OfThisUserIsReadWhereJobsRunAsAnother) {
    EXPECT_EQ(read(true), "text");
    if (::geteuid() == 0) return;
    EXPECT_FALSE(read(false));
}

TEST_F(TrustedFile, OfAnotherUserIsRefused) {
    if (::chown(file_.c_str(), 300'001, 300'001) != 0) GTEST_SKIP() << "NOT TESTED: needs root";
    const auto refused = read();
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message(), HasSubstr("file is not used: a job may have written it"));
}

TEST_F(TrustedFile, ThatOthersMayChangeOrThatHasTwoNamesIsRefused) {
    fs::permissions(file_, fs::perms(0664));
    EXPECT_FALSE(read());
    fs::permissions(file_, fs::perms(0644));
    fs::create_hard_link(file_, folder_ / "second");
    EXPECT_FALSE(read());
}

TEST_F(TrustedFile, BehindALinkIsRefused) {
    fs::rename(file_, folder_ / "elsewhere");
    fs::create_symlink(folder_ / "elsewhere", file_);
    EXPECT_FALSE(read());
}

TEST_F(TrustedFile, ReplacesALinkInsteadOfWritingThroughIt) {
    const auto other = folder_.write("other", "kept");
    fs::remove(file_);
    fs::create_symlink(other, file_);
    fs::create_symlink(other, folder_ / "file.new");
    ASSERT_TRUE(write_trusted(file_, "new"));
    EXPECT_EQ(text_of(other), "kept");
    EXPECT_EQ(read(), "new");
}

}  // namespace
}  // namespace trebuchet
