#include "common/base/backoff.hpp"

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using std::chrono::milliseconds;

TEST(Backoff, DoublesUpToItsLimit) {
    Backoff backoff(milliseconds(100), milliseconds(1000), [] { return 1.0; });
    for (const int expected : {100, 200, 400, 800, 1000, 1000}) EXPECT_EQ(backoff.next(), milliseconds(expected));
}

TEST(Backoff, IsRandomBetweenHalfAndAllOfAWait) {
    double drawn = 0.0;
    Backoff backoff(milliseconds(100), milliseconds(100), [&drawn] { return drawn; });
    EXPECT_EQ(backoff.next(), milliseconds(50));
    drawn = 0.5;
    EXPECT_EQ(backoff.next(), milliseconds(75));
    drawn = 0.999;
    EXPECT_EQ(backoff.next(), milliseconds(99));
}

TEST(Backoff, StartsAgainAfterAReset) {
    Backoff backoff(milliseconds(100), milliseconds(1000), [] { return 1.0; });
    static_cast<void>(backoff.next());
    static_cast<void>(backoff.next());
    backoff.reset();
    EXPECT_EQ(backoff.next(), milliseconds(100));
}

TEST(Backoff, NeverWaitsLongerThanItsLimit) {
    Backoff backoff(milliseconds(5000), milliseconds(1000), [] { return 1.0; });
    EXPECT_EQ(backoff.next(), milliseconds(1000));
}

}  // namespace
}  // namespace trebuchet
