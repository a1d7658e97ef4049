#include "common/file/private_file.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;

class PrivateFile : public testing::Test {
  protected:
    PrivateFile() { set_mode(0600); }
    void set_mode(mode_t mode) const { ASSERT_EQ(::chmod(file_.c_str(), mode), 0); }
    [[nodiscard]] std::string problem(FilePrivacy privacy = FilePrivacy::strict) const {
        const auto read = read_private_file(file_, 100, privacy);
        return read ? "" : read.error().message();
    }

    TemporaryFolder folder_;
    std::filesystem::path file_ = folder_.write("key", "line\nlast\n");
};

TEST_F(PrivateFile, IsReadWithAllItsBytes) {
    EXPECT_EQ(read_private_file(file_, 100)->reveal(), "line\nlast\n");
    EXPECT_EQ(read_private_file(file_, 10)->reveal(), "line\nlast\n");
    EXPECT_THAT(read_private_file(file_, 9).error().message(), HasSubstr("longer than the 9 bytes"));
}

TEST_F(PrivateFile, IsRefusedIfOthersMayUseIt) {
    for (const mode_t mode : {0400U, 0600U, 0700U}) {
        set_mode(mode);
        EXPECT_EQ(problem(), "") << mode;
    }
    for (const mode_t mode : {0640U, 0604U, 0620U, 0602U, 0610U, 0601U}) {
        set_mode(mode);
        EXPECT_THAT(problem(), HasSubstr("run chmod 0600")) << mode;
    }
}

TEST_F(PrivateFile, IsRefusedInAFolderThatOthersMayUse) {
    for (const mode_t mode : {0750U, 0705U, 0701U, 0770U}) {
        ASSERT_EQ(::chmod(folder_.path().c_str(), mode), 0);
        EXPECT_THAT(problem(), HasSubstr("run chmod 0700")) << mode;
        EXPECT_EQ(problem(FilePrivacy::by_service), "") << mode;
    }
}

TEST_F(PrivateFile, IsRefusedIfItBelongsToSomebodyElse) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    ASSERT_EQ(::chown(file_.c_str(), 4711, 0), 0);
    EXPECT_THAT(problem(), HasSubstr("belongs to the user 4711"));
    ASSERT_EQ(::chown(file_.c_str(), 0, 0), 0);
    ASSERT_EQ(::chown(folder_.path().c_str(), 4711, 0), 0);
    EXPECT_THAT(problem(), HasSubstr("belongs to the user 4711"));
}

TEST_F(PrivateFile, OfAServiceManagerMayHaveAnAccessList) {
    set_mode(0440);
    EXPECT_EQ(problem(FilePrivacy::by_service), "");
    set_mode(0444);
    EXPECT_NE(problem(FilePrivacy::by_service), "");
}

TEST_F(PrivateFile, IsCheckedWhereALinkLeads) {
    const TemporaryFolder open;
    ASSERT_EQ(::chmod(open.path().c_str(), 0755), 0);
    std::filesystem::create_symlink(file_, open / "link");
    EXPECT_EQ(read_private_file(open / "link", 100)->reveal(), "line\nlast\n");
    set_mode(0644);
    EXPECT_FALSE(read_private_file(open / "link", 100));
}

}  // namespace
}  // namespace trebuchet
