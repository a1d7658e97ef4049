#include "agent/cli/server_checks.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using std::chrono::hours;
using std::chrono::seconds;
using testing::AllOf;
using testing::Contains;
using testing::Field;
using testing::HasSubstr;

auto finding(Verdict verdict, const std::string& text) {
    return AllOf(Field(&Finding::verdict, verdict), Field(&Finding::text, HasSubstr(text)));
}

TEST(ClockCheck, TakesASmallDifferenceAndNamesTheDirection) {
    EXPECT_THAT(judge_clock(seconds(-3)), finding(Verdict::ok, "the server's clock is 3 s behind this host's"));
    EXPECT_THAT(judge_clock(seconds(90)), finding(Verdict::warning, "90 s ahead of this host's: set the one"));
    EXPECT_THAT(judge_clock(hours(-30)), finding(Verdict::error, "behind"));
}

TEST(RoleCheck, ExpectsAnAgent) {
    EXPECT_THAT(judge_role("agent"), finding(Verdict::ok, "agent"));
    EXPECT_THAT(judge_role("admin"), finding(Verdict::ok, "admin"));
    EXPECT_THAT(judge_role("contributor"), finding(Verdict::error, "the role \"contributor\", expected agent"));
    EXPECT_THAT(judge_role(""), finding(Verdict::ok, "names no role"));
}

TEST(RoleInToken, IsReadFromTheTokensClaims) {
    // {"exp":1,"permissions":{"role":"agent","x":"?~"}}
    EXPECT_EQ(role_in_token("e30.eyJleHAiOjEsInBlcm1pc3Npb25zIjp7InJvbGUiOiJhZ2VudCIsIngiOiI_fiJ9fQ.c2ln"), "agent");
}

TEST(RoleInToken, OfAnyOtherTokenIsUnknown) {
    const std::vector<std::string> all{"",        "a",         "a.b",       "a..c",
                                       "a.!!!.c", "e30.e30.x", "e30.W10.x", std::string(1000, '.')};
    for (const auto& token : all) EXPECT_EQ(role_in_token(token), "") << token;
}

Findings judged(const AgentRecord& record) {
    Config config;
    config.job_queues = {"a", "b"};
    Findings findings;
    judge_record(config, record, findings);
    return findings;
}

TEST(RecordCheck, NamesRestrictedQueuesAndThoseThatAreNotAskedThen) {
    EXPECT_THAT(judged({}), Contains(finding(Verdict::ok, "everybody may submit to a, b")));
    AgentRecord record;
    record.restricted_to = {{"a", {"team", "lab"}}};
    EXPECT_THAT(judged(record), AllOf(Contains(finding(Verdict::ok, "restricts a (for team, lab)")),
                                      Contains(finding(Verdict::warning, "takes no jobs from b"))));
}

TEST(RecordCheck, SaysThatTheServerKeepsTheAgentAway) {
    AgentRecord record;
    record.state = "offline";
    record.comment = "being repaired";
    EXPECT_THAT(judged(record),
                Contains(finding(Verdict::warning, "in offline, so that it takes no jobs: \"being repaired\"")));
    record.state = "waiting";
    EXPECT_THAT(judged(record), Contains(finding(Verdict::ok, "the server knows the agent")));
    record.mode = "maintenance";
    EXPECT_THAT(judged(record), Contains(finding(Verdict::warning, "in maintenance")));
}

}  // namespace
}  // namespace trebuchet
