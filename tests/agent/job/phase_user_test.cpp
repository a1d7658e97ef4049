#include "agent/job/phase_user.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;

const ProcessUser other{300'001, 300'002, {}};

mode_t mode_of(const fs::path& path) {
    struct stat info {};
    EXPECT_EQ(::lstat(path.c_str(), &info), 0) << path;
    return info.st_mode & 07777;
}

std::string problem_of(const Result<void>& result) {
    return result ? "no problem" : result.error().message();
}

TEST(FindPhaseUser, KnowsNumbersAndHome) {
    const auto user = find_phase_user("nobody");
    ASSERT_TRUE(user);
    EXPECT_EQ(user->ids.user, 65'534U);
    EXPECT_FALSE(user->ids.groups.empty());
    EXPECT_EQ(user->name, "nobody");
}

TEST(FindPhaseUser, RefusesNobodyKnownAndRoot) {
    EXPECT_EQ(find_phase_user("no-such-user").error().message(), "trebuchet.phase_user: there is no user no-such-user");
    EXPECT_THAT(find_phase_user("root").error().message(), HasSubstr("must not run as root"));
}

TEST(PrepareForPhaseUser, RefusesTheAgentsOwn) {
    PhaseUser own;
    own.name = "own";
    own.ids.user = ::geteuid();
    EXPECT_THAT(problem_of(prepare_for_phase_user(own)), HasSubstr("is the agent's own user"));
}

TEST(SetUserVariables, ReplacesThoseOfTheAgentsSession) {
    Environment environment;
    for (const auto* name : {"XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "MAIL", "TMPDIR", "HOME"}) {
        environment.set(name, "of the agent");
    }
    PhaseUser user;
    user.name = "jobs";
    user.home = "/home/jobs";
    set_user_variables(environment, user);
    std::string all;
    for (const auto& [name, value] : environment.variables()) {
        all += name + "=" + std::string(value.reveal()) + " ";
    }
    EXPECT_EQ(all, "HOME=/home/jobs LOGNAME=jobs SHELL=/bin/sh USER=jobs ");
}

TEST(LetPass, OpensTheWayThroughOurFoldersOnly) {
    const TemporaryFolder top;
    fs::create_directories(top / "a/b");
    for (const auto* folder : {"a", "a/b"}) ::chmod((top / folder).c_str(), 0700);
    EXPECT_TRUE(let_pass(top / "a/b", other));
    EXPECT_EQ(mode_of(top / "a/b"), 0711U);
    EXPECT_EQ(mode_of(top / "a"), 0711U);
    EXPECT_EQ(mode_of(top.path()), 0711U);
}

TEST(LetPass, RefusesAFolderThatTheUserCouldRename) {
    const TemporaryFolder top;
    fs::create_directories(top / "a/b");
    ::chmod((top / "a").c_str(), 0777);
    EXPECT_THAT(problem_of(let_pass(top / "a/b", other)),
                AllOf(HasSubstr("a job must not be able to rename"), HasSubstr((top / "a").string())));
    ::chmod((top / "a").c_str(), 0755);
    ::chmod((top / "a/b").c_str(), 01777);
    EXPECT_THAT(problem_of(let_pass(top / "a/b", other)), HasSubstr("a job must not be able to rename"));
    if (::geteuid() != 0) return;
    ::chmod((top / "a/b").c_str(), 0755);
    ASSERT_EQ(::chown((top / "a").c_str(), other.user, other.group), 0);
    EXPECT_THAT(problem_of(let_pass(top / "a/b", other)), HasSubstr("a job must not be able to rename"));
}

TEST(GiveTree, GivesAllOfItAndFollowsNoLink) {
    if (::geteuid() != 0) GTEST_SKIP() << "NOT TESTED: needs root, to give a folder to another user";
    const TemporaryFolder top;
    fs::create_directories(top / "run/deep");
    top.write("run/deep/file", "x");
    top.write("outside", "x");
    fs::create_symlink(top / "outside", top / "run/link");
    ASSERT_TRUE(give_tree(top / "run", other));
    const auto owner = [&](const char* name) {
        struct stat info {};
        EXPECT_EQ(::lstat((top / name).c_str(), &info), 0);
        return info.st_uid;
    };
    for (const auto* name : {"run", "run/deep", "run/deep/file", "run/link"})
        EXPECT_EQ(owner(name), other.user) << name;
    EXPECT_EQ(owner("outside"), 0U);
}

}  // namespace
}  // namespace trebuchet
