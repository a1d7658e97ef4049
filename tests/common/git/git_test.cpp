#include "common/git/git.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <cstdlib>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;

/// A real repository with one commit.
class GitTest : public testing::Test {
  protected:
    GitTest() {
        shell(
            "git init -q -b main . && git config user.name t && git config user.email t@example.org && "
            "git config commit.gpgsign false && echo 'version: 1' > .testing-farm.yaml && echo x > other && "
            "ln -s other link && git add . && git commit -q -m first && git branch empty-file");
    }
    void shell(const std::string& script) const {
        ASSERT_EQ(std::system(("cd '" + repository.path().string() + "' && " + script).c_str()), 0) << script;
    }
    [[nodiscard]] GitSource source(const std::string& branch = "main") const {
        return {"file://" + repository.path().string(), branch, ".testing-farm.yaml"};
    }
    Result<std::optional<std::string>> fetched(const GitSource& from) {
        const auto commit = remote_commit(loop, from);
        if (!commit) return fail(commit.error());
        return fetch_file(loop, from, *commit, scratch.path());
    }

    EventLoop loop;
    const TemporaryFolder repository;
    const TemporaryFolder scratch;
};

TEST_F(GitTest, FetchesOneFileOfABranch) {
    EXPECT_EQ(fetched(source()).value(), "version: 1\n");
    EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
}

TEST_F(GitTest, TakesNoSettingsFromTheEnvironment) {
    ::setenv("GIT_CONFIG_COUNT", "1", 1);
    ::setenv("GIT_CONFIG_KEY_0", "core.pager", 1);
    ::setenv("GIT_CONFIG_VALUE_0", "cat", 1);
    const auto text = fetched(source());
    for (const auto* name : {"GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_0", "GIT_CONFIG_VALUE_0"}) ::unsetenv(name);
    ASSERT_TRUE(text) << text.error().message();
    EXPECT_EQ(*text, "version: 1\n");
}

TEST_F(GitTest, SaysThatThereIsNoSuchFileOrBranch) {
    auto from = source();
    from.file = "missing.yaml";
    EXPECT_FALSE(fetched(from).value());
    EXPECT_THAT(fetched(source("missing")).error().message(), HasSubstr("no branch missing"));
    from.url += "-missing";
    EXPECT_THAT(fetched(from).error().message(), HasSubstr("git cannot read the repository"));
}

TEST_F(GitTest, RefusesLinksFoldersAndLongFiles) {
    auto from = source();
    from.file = "link";
    EXPECT_THAT(fetched(from).error().message(), HasSubstr("is not a file"));
    from = source();
    from.limit = 5;
    EXPECT_THAT(fetched(from).error().message(), HasSubstr("longer than 5 bytes"));
}

TEST_F(GitTest, RefusesAnotherCommitThanTheExpectedOne) {
    EXPECT_THAT(fetch_file(loop, source(), std::string(40, '0'), scratch.path()).error().message(),
                HasSubstr("has moved"));
}

TEST_F(GitTest, ReadsNoMoreThanItsSource) {
    auto from = source();
    from.url = "ext::sh -c 'touch " + (scratch / "ran").string() + "'";
    EXPECT_FALSE(fetched(from));
    from.url = "--upload-pack=touch " + (scratch / "ran").string();
    EXPECT_FALSE(fetched(from));
    from = source("main\"; touch ran; \"");
    EXPECT_FALSE(fetched(from));
    EXPECT_TRUE(std::filesystem::is_empty(scratch.path()));
}

TEST_F(GitTest, QuotesNoPassword) {
    auto from = source();
    from.url = "https://user:hunter2@127.0.0.1:1/x";
    EXPECT_THAT(fetched(from).error().message(), testing::Not(HasSubstr("hunter2")));
}

TEST_F(GitTest, KnowsTheOriginOfAFolder) {
    EXPECT_FALSE(origin_url(loop, repository.path()));
    shell("git remote add origin git@git.example.org:team/app.git");
    EXPECT_EQ(origin_url(loop, repository.path()), "git@git.example.org:team/app.git");
}

TEST(Git, KnowsNamesOfBranches) {
    for (const auto* name : {"main", "release/1.0", "feature-x_y"}) EXPECT_TRUE(is_branch_name(name)) << name;
    for (const auto* name : {"", "-x", "a b", "a..b", "/a", "a/", "$(x)", "a\nb"})
        EXPECT_FALSE(is_branch_name(name)) << name;
}

}  // namespace
}  // namespace trebuchet
