#include "common/log/log_file.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <filesystem>
#include <stdexcept>
#include <string>
#include <utility>

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace trebuchet {
namespace {

class LogFileTest : public testing::Test {
  protected:
    [[nodiscard]] std::filesystem::path path(const std::string& name) const { return folder_ / name; }

    [[nodiscard]] std::string content(const std::string& name) const {
        return std::filesystem::exists(path(name)) ? text_of(path(name)) : "(none)";
    }

    [[nodiscard]] static LogFile opened(const std::filesystem::path& path, std::size_t limit, int older) {
        auto file = LogFile::open(path, limit, older);
        if (!file) throw std::runtime_error(file.error().message());
        return std::move(*file);
    }

    TemporaryFolder folder_;
};

TEST_F(LogFileTest, AppendsToTheFileOfAnEarlierProcess) {
    folder_.write("log", "before\n");
    auto file = opened(path("log"), 100, 1);
    ASSERT_TRUE(file.write("after\n"));
    EXPECT_EQ(content("log"), "before\nafter\n");
}

TEST_F(LogFileTest, IsReadableByItsOwnerOnly) {
    folder_.write("log", "before\n");
    std::filesystem::permissions(path("log"), std::filesystem::perms::all);
    static_cast<void>(opened(path("log"), 100, 1));
    EXPECT_EQ(std::filesystem::status(path("log")).permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

TEST_F(LogFileTest, RotatesBeforeTheLimitAndKeepsOlderFiles) {
    auto file = opened(path("log"), 10, 2);
    for (const char* line : {"one.....\n", "two\n", "three\n", "four....\n", "five............\n", "six\n"}) {
        ASSERT_TRUE(file.write(line));
    }
    EXPECT_EQ(content("log"), "six\n");
    EXPECT_EQ(content("log.1"), "five............\n");
    EXPECT_EQ(content("log.2"), "four....\n");
    EXPECT_EQ(content("log.3"), "(none)");
}

TEST_F(LogFileTest, KeepsNoOlderFilesIfNoneAreWanted) {
    auto file = opened(path("log"), 10, 0);
    ASSERT_TRUE(file.write("one.....\n"));
    ASSERT_TRUE(file.write("two.....\n"));
    EXPECT_EQ(content("log"), "two.....\n");
    EXPECT_EQ(content("log.1"), "(none)");
}

TEST_F(LogFileTest, ReopensAfterAnotherProcessRotatedOrRemovedIt) {
    auto ours = opened(path("log"), 10, 2);
    auto theirs = opened(path("log"), 10, 2);
    ASSERT_TRUE(ours.write("ours 1.\n"));
    ASSERT_TRUE(theirs.write("theirs.\n"));
    ASSERT_TRUE(ours.write("2\n"));
    EXPECT_EQ(content("log"), "theirs.\n2\n");
    EXPECT_EQ(content("log.1"), "ours 1.\n");
    std::filesystem::remove(path("log"));
    ASSERT_TRUE(theirs.write("3\n"));
    ASSERT_TRUE(ours.write("4\n"));
    EXPECT_EQ(content("log"), "3\n4\n");
}

TEST_F(LogFileTest, RefusesLinksAndSpecialFiles) {
    folder_.write("elsewhere", "precious\n");
    std::filesystem::create_symlink(path("elsewhere"), path("link"));
    const auto link = LogFile::open(path("link"), 10, 2);
    ASSERT_FALSE(link);
    EXPECT_EQ(link.error().message(), path("link").string() + " is a symbolic link; expected a regular file");

    ASSERT_EQ(::mkfifo(path("fifo").c_str(), 0600), 0);
    const auto fifo = LogFile::open(path("fifo"), 10, 2);
    ASSERT_FALSE(fifo);
    EXPECT_EQ(fifo.error().message(), "cannot open " + path("fifo").string() + ": No such device or address");

    auto file = opened(path("log"), 100, 2);
    std::filesystem::remove(path("log"));
    std::filesystem::create_symlink(path("elsewhere"), path("log"));
    EXPECT_FALSE(file.write("swapped\n"));
    EXPECT_EQ(content("elsewhere"), "precious\n");
}

}  // namespace
}  // namespace trebuchet
