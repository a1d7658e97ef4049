#include "agent/host/agent_tree.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

class AgentTreeTest : public ::testing::Test {
  protected:
    void add(const std::string& name, const std::string& id, const std::string& more = "") const {
        fs::create_directories(folder / name);
        static_cast<void>(
            folder.write(name + "/testflinger-agent.conf",
                         "agent_id: " + id + "\nserver_address: http://127.0.0.1:1\njob_queues: [q]\n" + more));
    }
    TemporaryFolder folder;
};

TEST_F(AgentTreeTest, HasTheFoldersWithAConfiguration) {
    add("b", "b-1");
    add("a", "a-1", "trebuchet: {metrics_port: 9100, drain: finish}\n");
    add(".git", "hidden");
    fs::create_directories(folder / "docs");
    fs::create_directory_symlink("a", folder / "a-1");  // its second name
    static_cast<void>(folder.write("README", "x"));
    const auto tree = read_agent_tree(folder.path());
    ASSERT_TRUE(tree) << tree.error().message();
    ASSERT_EQ(tree->agents.size(), 2U);
    EXPECT_TRUE(tree->problems.empty());
    EXPECT_EQ(tree->agents[0].folder, "a");
    EXPECT_EQ(tree->agents[0].agent_id, "a-1");
    EXPECT_EQ(tree->agents[0].metrics_port, 9100);
    EXPECT_FALSE(tree->agents[0].longest_stop) << "drain: finish";
    EXPECT_EQ(tree->agents[1].longest_stop, std::chrono::seconds(85));
}

TEST_F(AgentTreeTest, FingerprintsWhatTheAgentReads) {
    add("a", "a");
    const auto first = read_agent_tree(folder.path());
    static_cast<void>(folder.write("a/default.yaml", "agent_name: a"));
    EXPECT_EQ(read_agent_tree(folder.path())->agents, first->agents) << "the connector reads it";
    static_cast<void>(folder.write("a/trebuchet.yaml", "kill_grace: 1"));
    EXPECT_NE(read_agent_tree(folder.path())->agents.at(0).fingerprint, first->agents.at(0).fingerprint);
}

TEST_F(AgentTreeTest, NamesWhatIsWrong) {
    add("a", ".supervise");
    add("b", "b", "polling_interval: often\n");
    add("c", "'c:d'");
    add("d", "supervise.lock");
    const auto tree = read_agent_tree(folder.path());
    ASSERT_TRUE(tree);
    EXPECT_TRUE(tree->agents.empty());
    EXPECT_THAT(tree->problems.at("a"), HasSubstr("begins with '.'"));
    EXPECT_THAT(tree->problems.at("c"), HasSubstr("has a ':'"));
    EXPECT_THAT(tree->problems.at("d"), HasSubstr("is supervise.lock"));
    EXPECT_THAT(tree->problems.at("b"), HasSubstr("polling_interval"));
    EXPECT_THAT(read_agent_tree(folder / "nowhere").error().message(), HasSubstr("cannot read the folder"));
}

TEST_F(AgentTreeTest, DoesNotWaitForTheWriterOfAFifo) {
    add("a", "a");
    ASSERT_EQ(::mkfifo((folder / "a/trebuchet.yaml").c_str(), 0600), 0);
    const auto tree = read_agent_tree(folder.path());
    ASSERT_TRUE(tree);
    EXPECT_TRUE(tree->problems.contains("a"));
}

TEST_F(AgentTreeTest, NamesAFolderThatItCannotRead) {
    if (::geteuid() == 0) GTEST_SKIP() << "NOT TESTED: root reads everything";
    add("a", "a");
    fs::permissions(folder / "a", fs::perms::none);
    const auto tree = read_agent_tree(folder.path());
    fs::permissions(folder / "a", fs::perms::owner_all);
    ASSERT_TRUE(tree);
    EXPECT_THAT(tree->problems.at("a"), HasSubstr("cannot read the folder"));
}

TEST_F(AgentTreeTest, KnowsWhenGitIsAtWork) {
    add("configs/a", "a");
    EXPECT_FALSE(is_being_updated(folder / "configs"));
    fs::create_directories(folder / ".git");
    EXPECT_FALSE(is_being_updated(folder / "configs"));
    static_cast<void>(folder.write(".git/index.lock", ""));
    EXPECT_TRUE(is_being_updated(folder / "configs"));
}

}  // namespace
}  // namespace trebuchet
