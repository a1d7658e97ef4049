#include "agent/job/job.hpp"

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

TEST(JobTimeouts, AreTheSmallerOfTheJobsAndTheAllowed) {
    Job job;
    job.global_timeout = 60s;
    job.output_timeout = 30s;
    EXPECT_EQ(job.global_timeout_within(90s), 60s);
    EXPECT_EQ(job.global_timeout_within(50s), 50s);
    EXPECT_EQ(job.output_timeout_within(40s), 30s);
    EXPECT_EQ(job.output_timeout_within(20s), 20s);
}

TEST(JobTimeouts, OfAJobThatNamesNoneAreTheDefaultsHoweverMuchIsAllowed) {
    const Job job;
    EXPECT_EQ(job.global_timeout_within(8h), 4h);
    EXPECT_EQ(job.global_timeout_within(1h), 1h);
    EXPECT_EQ(job.output_timeout_within(1h), 15min);
    EXPECT_EQ(job.output_timeout_within(1min), 1min);
}

}  // namespace
}  // namespace trebuchet
