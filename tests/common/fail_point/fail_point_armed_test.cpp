#include "common/fail_point/fail_point.hpp"
#include "tests/fakes/temporary_folder.hpp"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

/// In a process of its own, since the orders are read once.
void pass(const char* orders, const std::filesystem::path& trace = {}) {
    ::setenv("TREBUCHET_FAIL_POINT", orders, 1);
    if (!trace.empty()) ::setenv("TREBUCHET_FAIL_POINT_TRACE", trace.c_str(), 1);
    for (const char* name : {"before", "job taken", "job taken", "after"}) fail_point(name);
    std::_Exit(0);
}

TEST(FailPoint, KillsAtTheNamedPoint) {
    EXPECT_EXIT(pass("job taken"), testing::KilledBySignal(SIGKILL), "");
}

TEST(FailPoint, CountsPasses) {
    EXPECT_EXIT(pass("job taken:2"), testing::KilledBySignal(SIGKILL), "");
    EXPECT_EXIT(pass("job taken:3"), testing::ExitedWithCode(0), "");
}

TEST(FailPoint, IgnoresOtherNames) {
    EXPECT_EXIT(pass("job"), testing::ExitedWithCode(0), "");
    EXPECT_EXIT(pass(""), testing::ExitedWithCode(0), "");
}

TEST(FailPoint, TracesThePassedPoints) {
    const TemporaryFolder folder;
    EXPECT_EXIT(pass("after", folder / "trace"), testing::KilledBySignal(SIGKILL), "");
    std::ifstream trace(folder / "trace");
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(trace), {}), "before\njob taken\njob taken\nafter\n");
}

}  // namespace
}  // namespace trebuchet
