#include "provision/log/connector_log.hpp"

#include "common/file/safe_file.hpp"
#include "provision/log/tries_left.hpp"
#include "tests/fakes/fake_clock.hpp"

#include <array>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace trebuchet {
namespace {

TEST(ConnectorLog, UsesTheReferencesFormat) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    const FileDescriptor read_end(ends[0]);
    const FileDescriptor write_end(ends[1]);
    const FakeClock clock;
    const ConnectorLog log(clock, "board-1", write_end.get());
    log.info("BEGIN testrun");
    log.warning("w");
    log.error("e");

    std::array<char, 1024> buffer{};
    const auto count = ::read(read_end.get(), buffer.data(), buffer.size());
    ASSERT_GT(count, 0);
    // The date and the hour depend on the time zone.
    EXPECT_THAT(
        std::string(buffer.data(), static_cast<std::size_t>(count)),
        testing::MatchesRegex("2027-01-1[0-9] [0-9]+:[0-9]+:00,000 board-1 INFO: DEVICE CONNECTOR: BEGIN testrun\n"
                              "[^\n]* board-1 WARNING: DEVICE CONNECTOR: w\n"
                              "[^\n]* board-1 ERROR: DEVICE CONNECTOR: e\n"));
}

TEST(ConnectorLog, IgnoresWriteErrors) {
    const FakeClock clock;
    const ConnectorLog log(clock, "board-1", -1);
    log.info("nobody reads this");
}

TEST(TriesLeft, UsesSingularAndPlural) {
    EXPECT_EQ(tries_left(1), "1 try left");
    EXPECT_EQ(tries_left(3), "3 tries left");
}

}  // namespace
}  // namespace trebuchet
