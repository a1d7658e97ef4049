#include "agent/job/job_facts.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

Job job_with(const json& fields) {
    json document{{"job_id", "j1"}, {"job_queue", "vip"}};
    document.update(fields);
    auto job = parse_job(document.dump());
    EXPECT_TRUE(job) << job.error().message();
    return std::move(*job);
}

JobFacts facts(const json& fields) {
    return facts_of(job_with(fields), QueueRestriction::yes);
}

TEST(JobFacts, AreWhatTheJobSays) {
    const auto all = facts({{"client_id", "team-a"}, {"name", "nightly"}, {"tags", {"a", "b"}}, {"job_priority", 7}});
    EXPECT_EQ(all.queue, "vip");
    EXPECT_EQ(all.queue_restriction, QueueRestriction::yes);
    EXPECT_EQ(all.client_id, "team-a");
    EXPECT_EQ(all.name, "nightly");
    EXPECT_THAT(all.tags, ElementsAre("a", "b"));
    EXPECT_EQ(all.priority, 7);
    EXPECT_FALSE(all.has_attachments);
}

TEST(JobFacts, LeaveOutWhatMakesNoSense) {
    const auto odd =
        facts({{"client_id", 7}, {"name", nullptr}, {"tags", {1, "a", nullptr}}, {"job_priority", "high"}});
    EXPECT_FALSE(odd.client_id);
    EXPECT_EQ(odd.name, "");
    EXPECT_THAT(odd.tags, ElementsAre("a"));
    EXPECT_EQ(odd.priority, 0);
    EXPECT_THAT(facts({{"tags", "secret:A"}}).asked_names, IsEmpty());
}

TEST(JobFacts, AskByTagsAndByNamesThatArrivedEmpty) {
    EXPECT_THAT(facts({{"tags", {"secret:A", "secrets:B", "xsecret:C", "secret:"}},
                       {"test_data", {{"secrets", {{"D", ""}, {"E", nullptr}, {"F", "given"}}}}},
                       {"provision_data", {{"secrets", {{"G", ""}}}}}})
                    .asked_names,
                UnorderedElementsAre("A", "D", "E", ""));
}

TEST(JobFacts, SeeAttachmentsWhereverAJobNamesThem) {
    EXPECT_FALSE(facts({{"attachments_status", "none"}}).has_attachments);
    EXPECT_FALSE(facts({{"test_data", {{"attachments", json::array()}}}}).has_attachments);
    for (const json& fields : {json{{"attachments_status", "complete"}}, json{{"attachments_status", "waiting"}},
                               json{{"attachments_status", 7}}, json{{"attachments_status", "new word"}},
                               json{{"test_data", {{"attachments", {{{"agent", "x"}}}}}}},
                               json{{"firmware_update_data", {{"attachments", {{{"agent", "x"}}}}}}},
                               json{{"provision_data", {{"attachments", "x"}}}}}) {
        EXPECT_TRUE(facts(fields).has_attachments) << fields;
    }
}

TEST(JobFacts, HaveTheTagsForAVariable) {
    EXPECT_EQ(tags_variable(job_with({{"tags", {"smoke", "two words", "secret:A", "", "line\nbreak"}}})),
              "smoke\ntwo words\nsecret:A");
    EXPECT_EQ(tags_variable(job_with(json::object())), "");
    const json many(std::vector<std::string>(1000, std::string(500, 'x')));
    EXPECT_LT(tags_variable(job_with({{"tags", many}})).size(), 70'000U);
}

TEST(JobFacts, HaveTheValuesOfTheServer) {
    const auto job = job_with({{"test_data", {{"secrets", {{"D", "value"}}}}}});
    ASSERT_NE(server_value(job, "D"), nullptr);
    EXPECT_EQ(server_value(job, "D")->reveal(), "value");
    EXPECT_EQ(server_value(job, "E"), nullptr);
}

TEST(JobFacts, ChangeTheDocumentForConnectors) {
    std::map<std::string, SecretString> values;
    values["D"] = SecretString("granted");
    const auto with = [&](const json& fields) {
        return json::parse(std::string_view(job_with(fields).document_with(values)));
    };
    EXPECT_EQ(with({{"test_data", {{"secrets", {{"D", ""}, {"F", "given"}}}}}})["test_data"]["secrets"],
              (json{{"D", "granted"}, {"F", "given"}}));
    EXPECT_EQ(with({{"test_data", {{"test_cmds", "x"}}}})["test_data"]["secrets"], (json{{"D", "granted"}}));
    EXPECT_FALSE(with({{"provision_data", {{"url", "x"}}}}).contains("test_data"));
}

}  // namespace
}  // namespace trebuchet
