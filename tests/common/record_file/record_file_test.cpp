#include "common/record_file/record_file.hpp"

#include "common/record_file/record_scan.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RecordFileTest : public testing::Test {
  protected:
    struct Opened {
        RecordFile file;
        std::vector<std::string> records;
    };
    Opened open() const {
        std::vector<std::string> records;
        auto file = RecordFile::open(path_, [&](std::string_view payload) {
            records.emplace_back(payload);
            return payload != "nonsense";
        });
        EXPECT_TRUE(file) << file.error().message();
        return {std::move(*file), records};
    }
    void write(const std::vector<std::string>& records) const {
        auto opened = open();
        for (const auto& record : records) ASSERT_TRUE(opened.file.append(record));
        ASSERT_TRUE(opened.file.sync());
    }
    void change(std::size_t at, char to) const {
        auto text = text_of(path_);
        text.at(at) = to;
        folder_.write("log", text);
    }

    TemporaryFolder folder_;
    fs::path path_ = folder_ / "log";
};

TEST_F(RecordFileTest, ReturnsRecordsInOrder) {
    write({"one", std::string(1, '\0'), std::string(100'000, 'x')});
    write({"four"});
    auto [file, records] = open();
    EXPECT_THAT(records, ElementsAre("one", std::string(1, '\0'), std::string(100'000, 'x'), "four"));
    EXPECT_EQ(file.problem(), "");
    EXPECT_EQ(file.size(), fs::file_size(path_));
}

TEST_F(RecordFileTest, ARecordMayBeWrittenInTwoParts) {
    ASSERT_TRUE(open().file.append("head ", "body"));
    EXPECT_THAT(open().records, ElementsAre("head body"));
}

TEST_F(RecordFileTest, IsPrivate) {
    write({"one"});
    EXPECT_EQ(fs::status(path_).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(RecordFileTest, SetsAsideWhatIsNoFileFollowsNoLinkAndWaitsForNoFifo) {
    const auto open = [&] { return RecordFile::open(path_, [](std::string_view) { return true; }); };
    fs::create_symlink(folder_ / "elsewhere", path_);
    auto file = open();
    ASSERT_TRUE(file);
    EXPECT_EQ(file->problem(),
              path_.string() + " was a symbolic link: it was renamed to " + path_.string() + ".set-aside-1");
    EXPECT_FALSE(fs::exists(folder_ / "elsewhere"));
    fs::remove(path_);
    ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
    file = open();
    ASSERT_TRUE(file);
    EXPECT_TRUE(file->append("x"));
    fs::remove(path_);
    fs::create_directories(path_ / "folder");
    file = open();
    ASSERT_TRUE(file);
    EXPECT_THAT(file->problem(), testing::HasSubstr("was a folder"));
}

TEST_F(RecordFileTest, AnIncompleteLastRecordIsRemoved) {
    write({"one", "two"});
    const auto whole = text_of(path_);
    write({"three"});
    const auto longer = text_of(path_);
    for (auto size = whole.size() + 1; size < longer.size(); ++size) {
        folder_.write("log", longer.substr(0, size));
        auto [file, records] = open();
        EXPECT_THAT(records, ElementsAre("one", "two")) << size;
        EXPECT_THAT(file.problem(), HasSubstr("incomplete record"));
        EXPECT_EQ(text_of(path_), whole);
        EXPECT_FALSE(fs::exists(folder_ / "log.damaged"));
    }
}

TEST_F(RecordFileTest, ZerosAtTheEndAreRemoved) {
    write({"one"});
    folder_.write("log", text_of(path_) + std::string(5000, '\0'));
    EXPECT_THAT(open().records, ElementsAre("one"));
    write({"two"});
    EXPECT_THAT(open().records, ElementsAre("one", "two"));
}

TEST_F(RecordFileTest, CompleteRecordsSurviveDamage) {
    for (const std::size_t at : {0U, 5U, 9U, 12U, 14U}) {
        fs::remove(path_);
        write({"one", "two", "three"});
        change(15 + at, '\x7F');
        const auto damaged = text_of(path_);
        auto [file, records] = open();
        EXPECT_THAT(records, ElementsAre("one", "three")) << at;
        EXPECT_THAT(file.problem(), HasSubstr("log.damaged"));
        EXPECT_EQ(text_of(folder_ / "log.damaged"), damaged);
        ASSERT_TRUE(file.append("four"));
        EXPECT_THAT(open().records, ElementsAre("one", "three", "four"));
    }
}

TEST_F(RecordFileTest, AnInvalidRecordCountsAsDamage) {
    write({"one", "nonsense", "three"});
    EXPECT_THAT(open().file.problem(), HasSubstr("log.damaged"));
    EXPECT_THAT(open().records, ElementsAre("one", "three"));
}

TEST_F(RecordFileTest, OtherContentIsRemoved) {
    folder_.write("log", "somebody's text, which is long enough to hold a header");
    EXPECT_THAT(open().records, IsEmpty());
}

TEST_F(RecordFileTest, TextThatLooksLikeRecordsIsSearchedInBoundedTime) {
    std::string text = "x";
    while (text.size() < 400'000) text += std::string("\xB7Rec\x00\xFF\x00\x00", 8);
    folder_.write("log", text);
    EXPECT_THAT(open().records, IsEmpty());
}

TEST_F(RecordFileTest, AFailedWriteLeavesNothing) {
    auto [file, records] = open();
    ASSERT_TRUE(file.append("one"));
    rlimit former{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &former), 0);
    auto* const former_handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{100, former.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    const auto refused = file.append(std::string(1000, 'x'));
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &former), 0);
    std::signal(SIGXFSZ, former_handler);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message(), HasSubstr(path_.string()));
    EXPECT_EQ(fs::file_size(path_), 15U);
    ASSERT_TRUE(file.append("two"));
    EXPECT_THAT(open().records, ElementsAre("one", "two"));
}

TEST_F(RecordFileTest, RefusesARecordThatIsEmptyOrTooLong) {
    auto [file, records] = open();
    EXPECT_FALSE(file.append(""));
    EXPECT_FALSE(file.append(std::string(longest_record + 1, 'x')));
    EXPECT_EQ(file.size(), 0U);
}

}  // namespace
}  // namespace trebuchet
