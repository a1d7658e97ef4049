#include "agent/secrets/repository_cache.hpp"

#include <chrono>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

class RepositoryCacheTest : public testing::Test {
  protected:
    Result<RepositoryText> get() {
        return cache.get(
            {.loop = loop, .repository = repository, .scratch = "/nowhere", .now = now, .is_interrupted = {}});
    }
    std::string text() {
        const auto got = get();
        return got ? got->text.value_or("no file") : "error";
    }

    EventLoop loop;
    RepositorySecrets repository{.url = "https://git.example.org/app"};
    std::chrono::steady_clock::time_point now{std::chrono::hours(10)};
    Result<std::string> commit = std::string("c1");
    Result<std::optional<std::string>> file = std::optional<std::string>("one");
    int fetches = 0;
    RepositoryCache cache{{[this](const auto& /*ask*/) { return commit; },
                           [this](const auto& /*ask*/, const auto& /*commit*/) {
                               ++fetches;
                               return file;
                           }}};
};

TEST_F(RepositoryCacheTest, FetchesOnceForEachCommit) {
    EXPECT_EQ(text(), "one");
    EXPECT_EQ(text(), "one");
    EXPECT_EQ(fetches, 1);
    commit = std::string("c2");
    file = std::optional<std::string>("two");
    EXPECT_EQ(text(), "two");
    EXPECT_EQ(fetches, 2);
}

TEST_F(RepositoryCacheTest, UsesTheLastFileForAnHourWhileTheRepositoryIsOutOfReach) {
    EXPECT_EQ(text(), "one");
    commit = fail("unreachable");
    now += std::chrono::minutes(60);
    EXPECT_EQ(text(), "one");
    now += std::chrono::seconds(1);
    EXPECT_EQ(text(), "error");
}

TEST_F(RepositoryCacheTest, HasNothingForARepositoryThatWasNeverThere) {
    file = fail("unreachable");
    EXPECT_EQ(text(), "error");
}

TEST_F(RepositoryCacheTest, KnowsThatThereIsNoFile) {
    file = std::optional<std::string>();
    EXPECT_EQ(text(), "no file");
}

TEST_F(RepositoryCacheTest, KeepsBranchesApart) {
    EXPECT_EQ(text(), "one");
    repository.branch = "other";
    file = std::optional<std::string>("of the other");
    EXPECT_EQ(text(), "of the other");
}

}  // namespace
}  // namespace trebuchet
