#include "agent/import/host_changes.hpp"

#include "agent/delivery/adopted_results.hpp"
#include "common/file/lock_file.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr const char* result = "0a1b2c3d-0000-4000-8000-000000000001";
constexpr const char* environment_file = "etc/trebuchet/supervise.env";

class HostChangesTest : public ::testing::Test {
  protected:
    void SetUp() override {
        if (::geteuid() != 0) GTEST_SKIP() << "NOT TESTED: an import needs root";
        fs::copy(TREBUCHET_TESTDATA "/samplehost", root.path(), fs::copy_options::recursive);
        before = everything();
    }
    [[nodiscard]] Result<void> import() const {
        const auto host = read_charm_host(root.path());
        if (!host) return fail(host.error());
        return make_changes(plan_import(*host).changes, root.path());
    }
    /// Path → text, of each file.
    [[nodiscard]] std::map<std::string, std::string> everything() const {
        std::map<std::string, std::string> all;
        for (const auto& entry : fs::recursive_directory_iterator(root.path())) {
            if (entry.is_regular_file()) all[entry.path()] = text_of(entry.path());
            if (entry.is_symlink()) all[entry.path()] = "link";
        }
        return all;
    }
    TemporaryFolder root;
    std::map<std::string, std::string> before;
};

TEST_F(HostChangesTest, AreMadeAndTakenBack) {
    const auto made = import();
    ASSERT_TRUE(made) << made.error().message();
    EXPECT_THAT(text_of(root / environment_file), HasSubstr("TREBUCHET_TREE="));
    EXPECT_FALSE(fs::exists(root / "etc/supervisor/conf.d/rpi4b-001.conf"));
    EXPECT_TRUE(fs::exists(root / "etc/supervisor/conf.d/unrelated.conf"));
    const auto results = root / "var/lib/trebuchet-supervise/rpi4b-001/results";
    struct stat info {};
    ASSERT_EQ(::stat((results / result).c_str(), &info), 0);
    EXPECT_EQ(info.st_uid, 1000U);
    EXPECT_EQ(info.st_mode & 0777U, 0700U);
    EXPECT_EQ(text_of(results / result / "testflinger-outcome.json"), "{\"status\":{\"test\":0}}");
    const auto adopted = AdoptedResults::read(results, false);
    ASSERT_TRUE(adopted) << adopted.error().message();
    EXPECT_TRUE(adopted->has(results / result));

    const auto undone = undo_changes(root.path(), false);
    ASSERT_TRUE(undone) << undone.error().message();
    EXPECT_EQ(everything(), before);
    EXPECT_THAT(undo_changes(root.path(), false).error().message(), HasSubstr("no import to undo"));
}

TEST_F(HostChangesTest, CopyNothingButFilesAndFolders) {
    const auto left = root.path() / "tmp/testflinger/results" / result;
    fs::create_symlink("/etc/shadow", left / "link");
    ASSERT_EQ(::mkfifo((left / "fifo").c_str(), 0600), 0);
    fs::create_directories(left / "artifacts/deep");
    static_cast<void>(root.write("tmp/testflinger/results/" + std::string(result) + "/artifacts/deep/a", "text"));
    ASSERT_TRUE(import());
    const auto copy = root / "var/lib/trebuchet-supervise/rpi4b-001/results" / result;
    EXPECT_EQ(text_of(copy / "artifacts/deep/a"), "text");
    EXPECT_FALSE(fs::exists(fs::symlink_status(copy / "link")));
    EXPECT_FALSE(fs::exists(copy / "fifo"));
}

TEST_F(HostChangesTest, KeepVariablesFromOthersAndLeaveOnlyFoldersThatWereThere) {
    fs::create_directories(root / "etc/trebuchet");
    ASSERT_TRUE(import());
    struct stat info {};
    ASSERT_EQ(::stat((root / "etc/trebuchet/import.env").c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0600U);
    ASSERT_TRUE(undo_changes(root.path(), false));
    EXPECT_TRUE(fs::is_directory(root / "etc/trebuchet"));
    EXPECT_FALSE(fs::exists(root / "etc/systemd"));
    EXPECT_FALSE(fs::exists(root / "var/lib/trebuchet"));
    EXPECT_FALSE(fs::exists(root / "var/lib/trebuchet-supervise"));
}

TEST_F(HostChangesTest, AreNotTakenBackWhileTheServiceRuns) {
    ASSERT_TRUE(import());
    const auto all = everything();
    {
        const auto lock = LockFile::take(root / "var/lib/trebuchet-supervise/supervise.lock");
        ASSERT_TRUE(lock);
        EXPECT_THAT(undo_changes(root.path(), false).error().message(), HasSubstr("disable --now trebuchet-supervise"));
    }
    fs::remove(root / "var/lib/trebuchet-supervise/supervise.lock");
    EXPECT_EQ(everything(), all);
    EXPECT_TRUE(undo_changes(root.path(), false));
}

TEST_F(HostChangesTest, AreNotTakenBackWithTheLastCopyOfAResult) {
    ASSERT_TRUE(import());
    fs::remove_all(root.path() / "tmp/testflinger/results" / result);
    EXPECT_THAT(undo_changes(root.path(), false).error().message(),
                AllOf(HasSubstr(result), HasSubstr("no other copy")));
    fs::create_directories(root / "var/lib/trebuchet-supervise/agent-001/results/later");
    const auto undone = undo_changes(root.path(), true);
    ASSERT_TRUE(undone);
    EXPECT_THAT(undone->back(), HasSubstr("agent-001/results/later is not delivered, and stays"));
}

TEST_F(HostChangesTest, KeepAnAdministratorsListOfResults) {
    const auto list = root / "srv/tf/audino/results/trebuchet-adopted";
    HostChanges changes;
    changes.adopted = {"/srv/tf/audino/results"};
    fs::create_directories(list.parent_path());
    static_cast<void>(root.write("srv/tf/audino/results/trebuchet-adopted", "mine\n"));
    EXPECT_THAT(make_changes(changes, root.path()).error().message(), HasSubstr("trebuchet-adopted is already there"));
    EXPECT_EQ(text_of(list), "mine\n");
}

TEST_F(HostChangesTest, AreNotTakenBackWhenSomebodyChangedThem) {
    ASSERT_TRUE(import());
    static_cast<void>(root.write(environment_file, "TREBUCHET_TREE=/elsewhere\n"));
    static_cast<void>(root.write("etc/supervisor/conf.d/agent001.conf", "[program:agent001]\n"));
    const auto all = everything();
    const auto refused = undo_changes(root.path(), false);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message(),
                AllOf(HasSubstr("/etc/trebuchet/supervise.env"), HasSubstr("agent001.conf"), HasSubstr("--force")));
    EXPECT_EQ(everything(), all);
    ASSERT_TRUE(undo_changes(root.path(), true));
    EXPECT_EQ(everything(), before);
}

TEST_F(HostChangesTest, OverwriteNothing) {
    fs::create_directories(root / "etc/trebuchet");
    static_cast<void>(root.write(environment_file, "mine"));
    const auto refused = import();
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().message(), HasSubstr("supervise.env is already there"));
    EXPECT_TRUE(fs::exists(root / "etc/supervisor/conf.d/rpi4b-001.conf"));
    fs::remove_all(root / "etc/trebuchet");
    ASSERT_TRUE(import());
    EXPECT_THAT(import().error().message(), HasSubstr("nothing")) << "supervisord runs none any more";
}

TEST_F(HostChangesTest, AFailureInBetweenCanBeTakenBack) {
    fs::remove(root / "etc/passwd");  // the owner of the copies is not known
    const auto failed = import();
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().message(), HasSubstr("no user ubuntu"));
    ASSERT_TRUE(undo_changes(root.path(), false));
    before.erase((root / "etc/passwd").string());
    EXPECT_EQ(everything(), before);
}

}  // namespace
}  // namespace trebuchet
