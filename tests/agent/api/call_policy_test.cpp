#include "agent/api/call_policy.hpp"

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

TEST(CallPolicy, WhatTakesAJobOrCannotBeReadBackIsSentOnce) {
    for (const auto call : {Call::take_job, Call::post_events, Call::post_provision_log}) {
        EXPECT_EQ(policy_of(call).tries, 1) << static_cast<int>(call);
    }
}

TEST(CallPolicy, EachTryIsBoundedAndTriesHaveGrowingPausesBetween) {
    for (int number = 0; number <= static_cast<int>(Call::deliver_result); ++number) {
        const auto policy = policy_of(static_cast<Call>(number));
        EXPECT_GT(policy.timeout.count(), 0) << number;
        EXPECT_GE(policy.tries, 0) << number;
        if (policy.tries == 1) continue;
        EXPECT_GE(policy.first_wait, std::chrono::milliseconds(300)) << number;
        EXPECT_GT(policy.longest_wait, policy.first_wait) << number;
    }
}

TEST(CallPolicy, AWebhookThatHangsCostsAJobSeconds) {
    const auto policy = policy_of(Call::post_events);
    EXPECT_LE(policy.timeout * policy.tries, std::chrono::seconds(5));
}

TEST(CallPolicy, AJobWaitsLessThanAMinuteForProgressToBePosted) {
    const auto policy = policy_of(Call::post_progress);
    EXPECT_LE(policy.timeout * policy.tries + policy.longest_wait * (policy.tries - 1), std::chrono::minutes(1));
}

}  // namespace
}  // namespace trebuchet
