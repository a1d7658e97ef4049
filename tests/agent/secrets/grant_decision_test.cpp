#include "agent/secrets/grant_decision.hpp"

#include <algorithm>
#include <functional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAreArray;
using Rule = GrantRefusal::Rule;

SecretReference variable(const std::string& name) {
    return {SecretReference::Source::env, name, ""};
}

SecretGrant grant_of(GrantConditions allow) {
    SecretGrant grant;
    grant.name = "suite";
    grant.allow = std::move(allow);
    grant.env["TOKEN"] = variable("TOKEN");
    return grant;
}

std::vector<Rule> rules_of(const GrantDecision& decision) {
    std::vector<Rule> rules;
    for (const auto& refusal : decision.refusals) rules.push_back(refusal.rule);
    return rules;
}

/// One setting of a grant's rule, one fact of a job, and whether the fact meets the rule.
struct Case {
    std::string name;
    Rule rule;
    std::function<void(SecretGrant&)> set_rule;
    std::function<void(JobFacts&)> set_fact;
    bool holds;
};

/// For each rule: every setting that it may have, with every fact that it may meet.
std::vector<std::vector<Case>> cases_of_each_rule() {
    const auto no_rule = [](SecretGrant&) {};
    const auto queue = [](SecretGrant& grant) { grant.allow.queues = {"vip", "other"}; };
    const auto restricted = [](SecretGrant& grant) { grant.allow.queue_restricted = true; };
    const auto client = [](SecretGrant& grant) { grant.allow.client_ids = {"team-a", "team-b"}; };
    const auto any_attachments = [](SecretGrant& grant) { grant.allow.any_attachments = true; };
    const auto tags = [](SecretGrant& grant) { grant.deny.tags = {"fork", "draft"}; };
    const auto names = [](SecretGrant& grant) { grant.deny.names = {"nightly"}; };
    const auto priority = [](SecretGrant& grant) { grant.deny.priority_below = 1; };
    const auto in_queue = [](const char* text) { return [text](JobFacts& facts) { facts.queue = text; }; };
    const auto is = [](QueueRestriction value) {
        return [value](JobFacts& facts) { facts.queue_restriction = value; };
    };
    const auto from = [](const char* text) { return [text](JobFacts& facts) { facts.client_id = text; }; };
    const auto nobody = [](JobFacts& facts) { facts.client_id.reset(); };
    const auto attached = [](bool value) { return [value](JobFacts& facts) { facts.has_attachments = value; }; };
    const auto tagged = [](std::vector<std::string> all) { return [all](JobFacts& facts) { facts.tags = all; }; };
    const auto named = [](const char* text) { return [text](JobFacts& facts) { facts.name = text; }; };
    const auto with_priority = [](int value) { return [value](JobFacts& facts) { facts.priority = value; }; };
    return {
        {{"any queue", Rule::queue, no_rule, in_queue("x"), true},
         {"first queue", Rule::queue, queue, in_queue("vip"), true},
         {"second queue", Rule::queue, queue, in_queue("other"), true},
         {"another queue", Rule::queue, queue, in_queue("vip2"), false},
         {"no queue", Rule::queue, queue, in_queue(""), false}},
        {{"unrestricted, not asked for", Rule::queue_restricted, no_rule, is(QueueRestriction::no), true},
         {"unknown, not asked for", Rule::queue_restricted, no_rule, is(QueueRestriction::unknown), true},
         {"restricted", Rule::queue_restricted, restricted, is(QueueRestriction::yes), true},
         {"unrestricted", Rule::queue_restricted, restricted, is(QueueRestriction::no), false},
         {"unknown", Rule::queue_restricted, restricted, is(QueueRestriction::unknown), false}},
        {{"any client", Rule::client_id, no_rule, from("x"), true},
         {"nobody", Rule::client_id, no_rule, nobody, true},
         {"first client", Rule::client_id, client, from("team-a"), true},
         {"second client", Rule::client_id, client, from("team-b"), true},
         {"another client", Rule::client_id, client, from("team-c"), false},
         {"client without a name", Rule::client_id, client, from(""), false},
         {"no client", Rule::client_id, client, nobody, false}},
        {{"none", Rule::attachments, no_rule, attached(false), true},
         {"some", Rule::attachments, no_rule, attached(true), false},
         {"none where any may be", Rule::attachments, any_attachments, attached(false), true},
         {"some where any may be", Rule::attachments, any_attachments, attached(true), true}},
        {{"no tags", Rule::tags, no_rule, tagged({"fork"}), true},
         {"tags, none denied", Rule::tags, tags, tagged({"smoke", "forked"}), true},
         {"untagged", Rule::tags, tags, tagged({}), true},
         {"denied tag", Rule::tags, tags, tagged({"smoke", "draft"}), false}},
        {{"any name", Rule::name, no_rule, named("nightly"), true},
         {"another name", Rule::name, names, named("nightly-2"), true},
         {"denied name", Rule::name, names, named("nightly"), false}},
        {{"any priority", Rule::priority, no_rule, with_priority(-1), true},
         {"high priority", Rule::priority, priority, with_priority(1), true},
         {"low priority", Rule::priority, priority, with_priority(0), false}},
    };
}

/// Calls `visit` with each way to choose one case for each rule.
void for_all_combinations(const std::vector<std::vector<Case>>& rules, std::vector<const Case*>& chosen,
                          const std::function<void(const std::vector<const Case*>&)>& visit) {
    if (chosen.size() == rules.size()) return visit(chosen);
    for (const auto& one : rules[chosen.size()]) {
        chosen.push_back(&one);
        for_all_combinations(rules, chosen, visit);
        chosen.pop_back();
    }
}

TEST(GrantDecision, AllowsExactlyWhenEachRuleMeetsItsFact) {
    std::size_t combinations = 0;
    std::size_t allowed = 0;
    const auto rules = cases_of_each_rule();
    std::vector<const Case*> chosen;
    for_all_combinations(rules, chosen, [&](const std::vector<const Case*>& cases) {
        SecretGrant grant = grant_of({});
        JobFacts facts;
        std::vector<Rule> expected;
        for (const auto* one : cases) {
            one->set_rule(grant);
            one->set_fact(facts);
            if (!one->holds) expected.push_back(one->rule);
        }
        const auto decision = decide(grant, facts);
        ++combinations;
        if (decision.is_allowed()) ++allowed;
        ASSERT_EQ(decision.is_allowed(), expected.empty());
        ASSERT_EQ(rules_of(decision), expected) << cases[0]->name;
        for (const auto& refusal : decision.refusals) ASSERT_NE(refusal.text, "");
    });
    EXPECT_EQ(combinations, 5U * 5 * 7 * 4 * 4 * 3 * 3);
    EXPECT_EQ(allowed, 3U * 3 * 4 * 3 * 3 * 2 * 2);
}

TEST(GrantDecision, GivesOnlyToThoseWhoAskAndAreAllowed) {
    for (const bool asks : {false, true}) {
        for (const bool always : {false, true}) {
            for (const bool is_allowed : {false, true}) {
                auto grant = grant_of({.queues = {"vip"}});
                grant.always = always;
                JobFacts facts;
                facts.queue = is_allowed ? "vip" : "public";
                if (asks) facts.asked_names = {"TOKEN"};
                EXPECT_EQ(decide(grant, facts).gives(), (asks || always) && is_allowed);
            }
        }
    }
}

TEST(GrantDecision, TakesANameForTheGrantOrForOneOfItsVariables) {
    auto grant = grant_of({});
    grant.env["OTHER"] = variable("OTHER");
    grant.files["KEY"] = variable("KEY");
    JobFacts facts;
    EXPECT_FALSE(decide(grant, facts).asked.anything());
    facts.asked_names = {"TOKEN", "KEY", "UNKNOWN"};
    EXPECT_THAT(decide(grant, facts).asked.names, ElementsAre("KEY", "TOKEN"));
    EXPECT_FALSE(decide(grant, facts).asked.everything);
    EXPECT_FALSE(decide(grant, facts).asked.has("OTHER"));
    facts.asked_names = {"suite"};
    EXPECT_TRUE(decide(grant, facts).asked.has("OTHER"));
}

TEST(GrantDecision, TakesTheNameOfAFieldOnlyByThePrefixOfTheDocument) {
    auto grant = grant_of({});
    grant.env_from = SecretReference{SecretReference::Source::vault, "secret/suite", ""};
    JobFacts facts;
    facts.asked_names = {"CI_USER", "USER"};
    EXPECT_FALSE(decide(grant, facts).asked.anything());
    grant.env_prefix = "CI_";
    EXPECT_THAT(decide(grant, facts).asked.names, ElementsAre("CI_USER"));
}

TEST(GrantDecision, TakesNoNameOfAFieldThatIsNoVariable) {
    auto grant = grant_of({});
    grant.env_from = SecretReference{SecretReference::Source::vault, "secret/suite", ""};
    grant.env_prefix = "CI_";
    JobFacts facts;
    facts.asked_names = {"CI_ENDPOINT=https://elsewhere", std::string("CI_A\0B", 6), "CI_A B", "CI_"};
    EXPECT_THAT(decide(grant, facts).asked.names, ElementsAre("CI_"));
}

TEST(GrantDecision, NeedsBothChecksToAllow) {
    const auto grant = grant_of({.queue_restricted = true});
    const auto with = [&](QueueRestriction restriction) {
        JobFacts facts;
        facts.asked_names = {"TOKEN"};
        facts.queue_restriction = restriction;
        return decide(grant, facts);
    };
    for (const auto first : {QueueRestriction::no, QueueRestriction::yes, QueueRestriction::unknown}) {
        for (const auto second : {QueueRestriction::no, QueueRestriction::yes, QueueRestriction::unknown}) {
            const bool expected = first == QueueRestriction::yes && second == QueueRestriction::yes;
            EXPECT_EQ(both(with(first), with(second)).gives(), expected);
        }
    }
    EXPECT_THAT(both(with(QueueRestriction::no), with(QueueRestriction::yes)).reasons(),
                HasSubstr("when the job was taken"));
}

TEST(GrantDecision, SaysHowAJobGetsAClientId) {
    EXPECT_THAT(decide(grant_of({.client_ids = {"team-a"}}), {}).reasons(), HasSubstr("test_data.secrets"));
}

}  // namespace
}  // namespace trebuchet
