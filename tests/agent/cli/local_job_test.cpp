#include "agent/cli/local_job.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

LocalJob made(const json& submitted, const std::string& secrets = {}) {
    auto job = make_local_job(submitted, secrets, "local-1");
    if (job) return std::move(*job);
    ADD_FAILURE() << job.error().message();
    return {};
}

std::string problem_of(const json& submitted, const std::string& secrets = {}) {
    const auto job = make_local_job(submitted, secrets, "local-1");
    return job ? "no problem" : job.error().message();
}

std::string secret_of(const LocalJob& local, Phase phase, const std::string& name) {
    for (const auto& variable : local.job.data_of(phase).secrets) {
        if (variable.name == name) return std::string(variable.value.reveal());
    }
    return "no such variable";
}

TEST(LocalJob, GetsItsIdAndKeepsTheRest) {
    const auto local = made({{"job_queue", "q"}, {"job_id", "theirs"}, {"test_data", {{"test_cmds", "true\n"}}}});
    EXPECT_EQ(local.job.id, "local-1");
    EXPECT_EQ(local.job.queue, "q");
    EXPECT_EQ(json::parse(local.job.public_document),
              json({{"job_queue", "q"}, {"job_id", "local-1"}, {"test_data", {{"test_cmds", "true\n"}}}}));
    EXPECT_THAT(local.warnings, IsEmpty());
}

TEST(LocalJob, PathsOfSecretsAreReplacedByTheirValues) {
    const auto local = made({{"test_data", {{"secrets", {{"TOKEN", "lab/token"}}}}},
                             {"provision_data", {{"secrets", {{"KEY", "lab/key"}}}}}},
                            R"({"lab/token": "s3cret", "lab/key": "k3y", "unused": "x"})");
    EXPECT_EQ(secret_of(local, Phase::test, "TOKEN"), "s3cret");
    EXPECT_EQ(secret_of(local, Phase::provision, "KEY"), "k3y");
    EXPECT_THAT(std::string(local.job.document), HasSubstr("s3cret"));
    EXPECT_THAT(local.job.public_document, Not(HasSubstr("s3cret")));
    EXPECT_THAT(local.warnings, IsEmpty());
}

TEST(LocalJob, APathWithoutAValueGivesAnEmptyVariableAndAWarning) {
    const auto local = made({{"test_data", {{"secrets", {{"A", "missing"}, {"B", "number"}}}}}}, R"({"number": 7})");
    EXPECT_EQ(secret_of(local, Phase::test, "A"), "");
    EXPECT_EQ(secret_of(local, Phase::test, "B"), "");
    EXPECT_THAT(local.warnings, ElementsAre("the secrets file has no string value for missing: A will be empty",
                                            "the secrets file has no string value for number: B will be empty"));
    EXPECT_EQ(made({{"test_data", {{"secrets", {{"A", "x"}}}}}}).warnings.size(), 1U);
}

TEST(LocalJob, WarnsOfAttachments) {
    const auto local = made({{"test_data", {{"attachments", json::array({{{"local", "a"}}})}}}});
    EXPECT_THAT(local.warnings, ElementsAre("attachments of test_data are not unpacked in a local run"));
    EXPECT_TRUE(local.job.data_of(Phase::test).present);
}

TEST(LocalJob, IsRefusedLikeAnyOther) {
    EXPECT_THAT(problem_of(json::array()), HasSubstr("is not a mapping of fields"));
    EXPECT_THAT(problem_of("text"), HasSubstr("is not a mapping of fields"));
    EXPECT_THAT(problem_of({{"test_data", "x"}}), HasSubstr("the job's test_data is a string, expected an object"));
    EXPECT_THAT(problem_of({{"test_data", {{"secrets", {{"A", 7}}}}}}), HasSubstr("test_data.secrets.A is a number"));
}

TEST(LocalJob, AProblemWithTheSecretsQuotesNothingOfThem) {
    for (const auto* secrets : {"s3cret", "[\"s3cret\"]", "{\"a\": \"s3cret\"", "\"s3cret\"", "null"}) {
        EXPECT_EQ(problem_of(json::object(), secrets), "the secrets file is not a JSON object from path to value");
    }
    EXPECT_THAT(problem_of({{"test_data", {{"secrets", {{"A", "p"}}}}}}, R"({"p": "s3cret\u0000"})"),
                Not(HasSubstr("s3cret")));
}

}  // namespace
}  // namespace trebuchet
