#include "agent/job/job_templates.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

class JobTemplates : public testing::Test, public SecretSink {
  protected:
    JobTemplates() {
        secrets_["TOKEN"] = SecretString("s3cret-{{ secret('DB') }}");
        secrets_["DB"] = SecretString(R"({"user": "u", "password": "p4ssword"})");
        agent_.set("ENV_BOARD", "rpi4");
    }
    void secret_value(const std::string& /*name*/, std::string_view value) override { masked_.emplace_back(value); }
    void secret_access(const SecretAccess& /*access*/) override {}

    Result<std::optional<FilledJob>> fill(const json& job, Phase phase) {
        return fill_templates(job.dump(), phase, {secrets_, agent_, *this});
    }
    json filled(const json& job, Phase phase) {
        auto result = fill(job, phase);
        EXPECT_TRUE(result) << (result ? "" : result.error().message());
        if (!result || !*result) return nullptr;
        for (const auto& [name, value] : (*result)->variables) variables_[name] = std::string(value.reveal());
        return json::parse(std::string_view((*result)->document));
    }
    std::string problem(const json& job, Phase phase) {
        const auto result = fill(job, phase);
        return result ? "" : result.error().message();
    }

    std::map<std::string, SecretString> secrets_;
    Environment agent_;
    std::vector<std::string> masked_;
    std::map<std::string, std::string> variables_;
};

TEST_F(JobTemplates, PutNoValueIntoAScript) {
    const auto job =
        filled({{"test_data", {{"test_cmds", "echo \"a{{ secret('token') }}b\" {{ envs.board }}"}}}}, Phase::test);
    EXPECT_EQ(job["test_data"]["test_cmds"], "echo \"a\"\"$TREBUCHET_VALUE_1\"\"b\" \"$TREBUCHET_VALUE_2\"");
    EXPECT_EQ(job["test_data"]["secrets"]["TREBUCHET_VALUE_1"], "s3cret-{{ secret('DB') }}") << "read once";
    EXPECT_THAT(variables_,
                ElementsAre(Pair("TREBUCHET_VALUE_1", "s3cret-{{ secret('DB') }}"), Pair("TREBUCHET_VALUE_2", "rpi4")));
    EXPECT_THAT(masked_, ElementsAre("s3cret-{{ secret('DB') }}"));
}

TEST_F(JobTemplates, PutValuesIntoOtherTextsOfThePhase) {
    const json job = {{"name", "{{ secret('TOKEN') }}"},
                      {"provision_data", {{"urls", {"http://{{ secret('DB', subkey='password') | upper }}@h"}}}},
                      {"test_data", {{"test_cmds", "{{ secret('NOPE') }}"}}}};
    const auto result = filled(job, Phase::provision);
    EXPECT_EQ(result["provision_data"]["urls"][0], "http://P4SSWORD@h");
    EXPECT_EQ(result["test_data"], job["test_data"]) << "another phase";
    EXPECT_EQ(result["name"], job["name"]);
    EXPECT_THAT(masked_, ElementsAre("P4SSWORD"));
}

TEST_F(JobTemplates, LeaveJobsWithoutThemAsTheyAre) {
    EXPECT_EQ(
        filled({{"test_data", {{"test_cmds", "docker ps --format '{{.Names}}' {# secret('A') #}"}}}}, Phase::test),
        nullptr);
    EXPECT_EQ(filled({{"test_data", {{"secrets", {{"A", "{{ secret('TOKEN') }}"}}}}}}, Phase::test), nullptr);
}

TEST_F(JobTemplates, SayWhereOneIsWrong) {
    EXPECT_THAT(
        problem({{"test_data", {{"test_cmds", "true\necho {{ secret('NOPE') }}"}}}}, Phase::test),
        testing::AllOf(HasSubstr("\"test_data.test_cmds\", line 2, column 6"), HasSubstr("no secret \"NOPE\"")));
    EXPECT_THAT(problem({{"test_data", {{"test_cmds", "cat <<'E'\n{{ secret('TOKEN') }}\nE"}}}}, Phase::test),
                HasSubstr("a template cannot stand here"));
    EXPECT_THAT(problem({{"reserve_data", {{"x", "{{ secret(TOKEN) }}"}}}}, Phase::reserve),
                HasSubstr("\"reserve_data.x\""));
}

TEST_F(JobTemplates, AreAskedForByTheNamesThatGrantsHave) {
    const auto job = parse_job(R"({"job_id": "1", "job_queue": "q", "test_data": {"test_cmds":
        "{{ secret('lab_token') }} {{ secret('Other') }}"}})");
    ASSERT_TRUE(job);
    EXPECT_THAT(template_names(*job), ElementsAre("Other", "lab_token"));
    SecretsConfig config;
    JobFacts facts;
    ask_for_templates(*job, config, facts);
    EXPECT_THAT(facts.asked_names, IsEmpty()) << "templates are off";
    config.templates = true;
    config.grants.emplace_back().env["LAB_TOKEN"] = *parse_secret_reference("env:A");
    ask_for_templates(*job, config, facts);
    EXPECT_TRUE(facts.asked_names.contains("LAB_TOKEN"));
}

TEST_F(JobTemplates, AreBounded) {
    json many = {{"test_data", {{"test_cmds", ""}}}};
    for (int i = 0; i < 600; ++i) many["test_data"]["texts"].push_back("{{ envs.board }}{{ envs.board }}");
    EXPECT_THAT(problem(many, Phase::test), HasSubstr("more than 1000"));
    many["test_data"]["texts"] = std::string(50'000, '{') + "secret";
    EXPECT_THAT(problem(many, Phase::test), HasSubstr("times {{"));
}

TEST_F(JobTemplates, AreQuick) {
    std::string script;
    for (int i = 0; i < 100; ++i) script += "echo \"{{ secret('TOKEN') }}\"\n";
    EXPECT_EQ(filled({{"test_data", {{"test_cmds", script}}}}, Phase::test)["test_data"]["secrets"].size(), 100U);
}

}  // namespace
}  // namespace trebuchet
