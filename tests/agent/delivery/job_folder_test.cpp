#include "agent/delivery/job_folder.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

class JobFolderTest : public testing::Test {
  protected:
    [[nodiscard]] JobRecord kept() { return JobFolder(loop_, base_, "j1").record(); }

    TemporaryFolder temporary_;
    fs::path base_ = temporary_ / "jobs";
    EventLoop loop_;
    JournalEntry taken_ = JournalEntry::taken("j1", std::chrono::system_clock::time_point());
};

TEST_F(JobFolderTest, IsMadeWithItsFirstEntry) {
    JobFolder folder(loop_, base_, "j1");
    EXPECT_FALSE(fs::exists(base_));
    folder.commit(taken_);
    EXPECT_EQ(fs::status(base_ / "j1").permissions(), fs::perms::owner_all);
    EXPECT_THAT(JobFolder::all(base_), ElementsAre("j1"));
}

TEST_F(JobFolderTest, WhatIsNotedIsThereAfterACrash) {
    JobFolder folder(loop_, base_, "j1");
    folder.commit(taken_);
    folder.note(JournalEntry::entered(Phase::test));
    folder.note_at_once(JournalEntry::mask_added());
    EXPECT_EQ(folder.record().entered, Phase::test);
    EXPECT_EQ(kept().id, "j1");
    EXPECT_EQ(kept().entered, Phase::test);
}

TEST_F(JobFolderTest, WhatTheDiskRefusesIsWrittenWhenItCanBe) {
    temporary_.write("jobs", "in the way");
    JobFolder folder(loop_, base_, "j1");
    folder.commit(taken_);
    folder.note(JournalEntry::entered(Phase::test));
    EXPECT_EQ(folder.record().entered, Phase::test);
    fs::remove(base_);
    folder.note(JournalEntry::cancelled());
    EXPECT_EQ(kept().id, "j1");
    EXPECT_EQ(kept().entered, Phase::test);
    EXPECT_TRUE(kept().cancelled);
}

TEST_F(JobFolderTest, ADamagedJournalIsSetAsideAndTheRestRead) {
    JobFolder(loop_, base_, "j1").commit(taken_);
    JobFolder(loop_, base_, "j1").commit(JournalEntry::entered(Phase::test));
    JobFolder(loop_, base_, "j1").commit(JournalEntry::cancelled());
    auto text = text_of(base_ / "j1/journal");
    text.at(text.find("entered")) = 'E';
    std::ofstream(base_ / "j1/journal", std::ios::binary) << text;
    EXPECT_EQ(kept().id, "j1");
    EXPECT_FALSE(kept().entered);
    EXPECT_TRUE(kept().cancelled);
    EXPECT_TRUE(fs::exists(base_ / "j1/journal.damaged"));
}

TEST_F(JobFolderTest, IsRemovedWithAllThatIsInIt) {
    JobFolder folder(loop_, base_, "j1");
    folder.commit(taken_);
    temporary_.write("jobs/j1/artifacts.tar.gz", "x");
    EXPECT_EQ(folder.archive(), base_ / "j1/artifacts.tar.gz");
    folder.remove();
    EXPECT_THAT(JobFolder::all(base_), IsEmpty());
}

TEST_F(JobFolderTest, WhatACrashLeavesOfARemovalIsNoJob) {
    fs::create_directories(base_ / ".removed-j1");
    temporary_.write("jobs/.removed-j1/output.0", "x");
    EXPECT_THAT(JobFolder::all(base_), IsEmpty());
    JobFolder folder(loop_, base_, "j1");
    folder.commit(taken_);
    folder.remove();
    EXPECT_TRUE(fs::is_empty(base_));
    fs::create_directories(base_ / ".removed-j2");
    JobFolder::remove_leftovers(base_, {});
    EXPECT_TRUE(fs::is_empty(base_));
}

TEST_F(JobFolderTest, WhatIsNoJobsFolderIsLeftAlone) {
    fs::create_directories(base_ / "not a job");
    temporary_.write("jobs/README", "x");
    EXPECT_THAT(JobFolder::all(base_), IsEmpty());
    EXPECT_THAT(JobFolder::all(temporary_ / "missing"), IsEmpty());
}

TEST_F(JobFolderTest, WhatWasPlantedBesideTheFoldersIsSetAside) {
    JobFolder(loop_, base_, "j1").commit(taken_);
    ASSERT_EQ(::mkfifo((base_ / "fifo").c_str(), 0600), 0);
    fs::create_symlink(temporary_.path(), base_ / "link");
    fs::create_directories(base_ / "no job" / "deep");
    fs::create_directories(base_ / "j2" / "journal");
    fs::create_directories(base_ / "j3" / "journal");
    fs::create_directories(base_ / "j4");
    fs::permissions(base_ / "j4", fs::perms::none);
    JobFolder::set_aside_planted(base_, {"j3"});
    JobFolder::set_aside_planted(base_, {"j3"});
    EXPECT_THAT(JobFolder::all(base_), ElementsAre("j1", "j3"));
    for (const auto* name : {"fifo", "link", "no job", "j2", "j4"}) {
        EXPECT_FALSE(fs::exists(fs::symlink_status(base_ / name))) << name;
        EXPECT_TRUE(fs::exists(fs::symlink_status(base_ / (std::string(name) + ".set-aside-1")))) << name;
        EXPECT_FALSE(fs::exists(fs::symlink_status(base_ / (std::string(name) + ".set-aside-2")))) << name;
    }
    EXPECT_EQ(kept().id, "j1");
}

TEST_F(JobFolderTest, ALinkInPlaceOfAllFoldersIsSetAside) {
    fs::create_directory(temporary_ / "elsewhere");
    fs::create_symlink(temporary_ / "elsewhere", base_);
    JobFolder::set_aside_planted(base_, {});
    JobFolder(loop_, base_, "j1").commit(taken_);
    EXPECT_TRUE(fs::is_empty(temporary_ / "elsewhere"));
    EXPECT_EQ(kept().id, "j1");
}

TEST_F(JobFolderTest, AFifoForAJournalCostsTheJournalOnly) {
    fs::create_directories(base_ / "j1");
    ASSERT_EQ(::mkfifo((base_ / "j1/journal").c_str(), 0600), 0);
    JobFolder folder(loop_, base_, "j1");
    EXPECT_EQ(folder.record().id, "");
    folder.commit(taken_);
    EXPECT_EQ(kept().id, "j1");
}

TEST_F(JobFolderTest, IsThereIfItHasAJournal) {
    EXPECT_FALSE(JobFolder::is_there(base_, "j1"));
    JobFolder(loop_, base_, "j1").commit(taken_);
    EXPECT_TRUE(JobFolder::is_there(base_, "j1"));
    fs::create_directories(base_ / "j2");
    EXPECT_FALSE(JobFolder::is_there(base_, "j2"));
    EXPECT_FALSE(fs::exists(base_ / "j2"));
}

}  // namespace
}  // namespace trebuchet
