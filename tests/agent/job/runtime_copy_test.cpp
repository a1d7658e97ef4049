#include "agent/job/runtime_copy.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <filesystem>
#include <string>

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;

class RuntimeCopyTest : public testing::Test {
  protected:
    TemporaryFolder folder_;
    RuntimeCopy copy_{folder_.path(), "j1"};
};

TEST_F(RuntimeCopyTest, GivesBackWhatTheNextAgentNeeds) {
    ASSERT_TRUE(copy_.save(R"({"job_id": "j1"})", std::string_view("key\0with zero", 13)));
    copy_.add("first value");
    copy_.add("second value");
    const auto content = RuntimeCopy(folder_.path(), "j1").read();
    ASSERT_TRUE(content);
    EXPECT_EQ(std::string_view(content->document), R"({"job_id": "j1"})");
    EXPECT_EQ(content->key.reveal(), std::string_view("key\0with zero", 13));
    ASSERT_EQ(content->added.size(), 2U);
    EXPECT_EQ(content->added[1].name, "added value 2");
    EXPECT_EQ(content->added[1].value.reveal(), "second value");
    EXPECT_EQ(fs::status(folder_ / "j1").permissions(), fs::perms::owner_all);
}

TEST_F(RuntimeCopyTest, IsNothingIfItIsNotWholeOrNotThere) {
    EXPECT_FALSE(RuntimeCopy(folder_.path(), "j1").read());
    ASSERT_TRUE(copy_.save("{}", ""));
    fs::resize_file(folder_ / "j1/recovery", fs::file_size(folder_ / "j1/recovery") - 1);
    EXPECT_FALSE(RuntimeCopy(folder_.path(), "j1").read());
}

TEST_F(RuntimeCopyTest, IsOverwrittenAndRemoved) {
    ASSERT_TRUE(copy_.save("the secret document", ""));
    fs::create_hard_link(folder_ / "j1/recovery", folder_ / "still open");
    copy_.wipe();
    EXPECT_FALSE(fs::exists(folder_ / "j1"));
    EXPECT_EQ(text_of(folder_ / "still open").find("secret"), std::string::npos);
}

TEST_F(RuntimeCopyTest, WhatAKilledAgentLeftIsWipedButWhatIsNeeded) {
    ASSERT_TRUE(copy_.save("the secret document", ""));
    folder_.write("j1/testflinger.json", "secret");
    ASSERT_TRUE(RuntimeCopy(folder_.path(), "j2").save("another secret", ""));
    fs::create_hard_link(folder_ / "j2/recovery", folder_ / "still open");
    folder_.write("not ours", "kept");
    wipe_leftover_secrets(folder_.path(), {"j1"});
    EXPECT_FALSE(fs::exists(folder_ / "j1/testflinger.json"));
    EXPECT_TRUE(RuntimeCopy(folder_.path(), "j1").read());
    EXPECT_FALSE(fs::exists(folder_ / "j2"));
    EXPECT_EQ(text_of(folder_ / "still open").find("secret"), std::string::npos);
    EXPECT_TRUE(fs::exists(folder_ / "not ours"));
    wipe_leftover_secrets(folder_ / "missing", {});
}

TEST_F(RuntimeCopyTest, IsSavedWhateverWasPlantedInItsPlace) {
    folder_.write("j1", "a file");
    ASSERT_TRUE(copy_.save("the document", ""));
    EXPECT_TRUE(RuntimeCopy(folder_.path(), "j1").read());
    copy_.wipe();
    ASSERT_EQ(::mkdir((folder_ / "j1").c_str(), 0700), 0);
    ASSERT_EQ(::mkfifo((folder_ / "j1/recovery").c_str(), 0600), 0);
    ASSERT_TRUE(copy_.save("the document", ""));
    EXPECT_TRUE(RuntimeCopy(folder_.path(), "j1").read());
    copy_.wipe();
    EXPECT_FALSE(fs::exists(folder_ / "j1"));
}

TEST_F(RuntimeCopyTest, IsNoneIfItIsNoFile) {
    fs::create_directories(folder_ / "j1/recovery/deep");
    ASSERT_EQ(::mkdir((folder_ / "j2").c_str(), 0700), 0);
    ASSERT_EQ(::mkfifo((folder_ / "j2/recovery").c_str(), 0600), 0);
    EXPECT_TRUE(RuntimeCopy::all(folder_.path()).empty());
    wipe_leftover_secrets(folder_.path(), {});
    EXPECT_TRUE(fs::is_empty(folder_.path()));
}

}  // namespace
}  // namespace trebuchet
