#include "common/base/result.hpp"

#include <memory>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

Result<int> half(int number) {
    if (number % 2 != 0) return fail("cannot halve " + std::to_string(number) + ": expected an even number");
    return number / 2;
}

TEST(Result, HoldsAValueOrAnError) {
    EXPECT_EQ(half(4).value(), 2);
    EXPECT_EQ(half(3).error().message(), "cannot halve 3: expected an even number");
}

TEST(Result, PropagatesAnError) {
    const auto passed_on = [](int number) -> Result<std::unique_ptr<int>> {
        auto halved = half(number);
        if (!halved) return fail(halved.error().with_context("shares"));
        return std::make_unique<int>(*halved);
    };
    EXPECT_EQ(passed_on(3).error().message(), "shares: cannot halve 3: expected an even number");
    EXPECT_EQ(**passed_on(4), 2);
}

TEST(Error, PutsEachContextInFront) {
    EXPECT_EQ(Error("no such key").with_context("line 3").with_context("a.conf").message(),
              "a.conf: line 3: no such key");
}

}  // namespace
}  // namespace trebuchet
