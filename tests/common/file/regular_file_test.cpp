#include "common/file/regular_file.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;

TEST(RegularFile, IsReadThroughALink) {
    const TemporaryFolder folder;
    std::filesystem::create_symlink(folder.write("file", "text"), folder / "link");
    EXPECT_EQ(read_regular_file(folder / "link", 4).value(), "text");
    EXPECT_THAT(read_regular_file(folder / "link", 3).error().message(), HasSubstr("longer than the 3 bytes"));
}

TEST(RegularFile, NothingElseIsRead) {
    const TemporaryFolder folder;
    ASSERT_EQ(::mkfifo((folder / "fifo").c_str(), 0600), 0);
    EXPECT_THAT(read_regular_file(folder / "fifo", 10).error().message(), HasSubstr("is a FIFO; expected a regular"));
    EXPECT_THAT(read_regular_file(folder.path(), 10).error().message(), HasSubstr("is a folder"));
    EXPECT_THAT(read_regular_file("/dev/zero", 10).error().message(), HasSubstr("is a device"));
    EXPECT_THAT(read_regular_file(folder / "missing", 10).error().message(), HasSubstr("No such file"));
}

}  // namespace
}  // namespace trebuchet
