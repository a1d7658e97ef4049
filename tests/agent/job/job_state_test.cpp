#include "agent/job/job_state.hpp"

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

TEST(JobState, ReadsBackEveryNameThatItWrites) {
    for (const JobState state : all_job_states) EXPECT_EQ(job_state_named(name_of(state)), state) << name_of(state);
}

TEST(JobState, HasAStateForEachPhase) {
    for (const Phase phase : all_phases) EXPECT_EQ(name_of(state_of(phase)), name_of(phase));
}

TEST(JobState, KnowsTheOtherSpellingOfComplete) {
    EXPECT_EQ(job_state_named("completed"), JobState::complete);
    EXPECT_EQ(name_of(JobState::complete), "complete");
}

TEST(JobState, WhatNobodyKnowsIsUnknown) {
    EXPECT_EQ(job_state_named("exploded"), JobState::unknown);
    EXPECT_EQ(job_state_named(""), JobState::unknown);
}

TEST(JobState, ACancelledJobStaysCancelledAtItsEnd) {
    EXPECT_EQ(state_to_post(JobState::complete, JobState::cancelled), JobState::cancelled);
    EXPECT_EQ(state_to_post(JobState::cancelled, JobState::cancelled), JobState::cancelled);
}

TEST(JobState, ACancelledJobGetsNoOtherState) {
    for (const Phase phase : main_phases) EXPECT_FALSE(state_to_post(state_of(phase), JobState::cancelled));
    EXPECT_FALSE(state_to_post(JobState::allocated, JobState::cancelled));
}

TEST(JobState, AnyOtherStateIsReplaced) {
    for (const JobState shown : all_job_states) {
        if (shown == JobState::cancelled) continue;
        EXPECT_EQ(state_to_post(JobState::complete, shown), JobState::complete);
        EXPECT_EQ(state_to_post(JobState::test, shown), JobState::test);
    }
}

}  // namespace
}  // namespace trebuchet
