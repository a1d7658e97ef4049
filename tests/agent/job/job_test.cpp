#include "agent/job/job.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;
using testing::UnorderedElementsAre;

Job parsed(const std::string& text) {
    auto job = parse_job(text);
    if (job) return std::move(*job);
    ADD_FAILURE() << job.error().message();
    return {};
}

Job parsed(const json& document) {
    return parsed(document.dump());
}

std::string problem_of_text(const std::string& text) {
    const auto job = parse_job(text);
    return job ? "no problem" : job.error().message();
}

std::string problem_of(const json& document) {
    return problem_of_text(document.dump());
}

/// A job with one more field.
json with(const std::string& field, json value) {
    return {{"job_id", "j1"}, {field, std::move(value)}};
}

std::vector<std::string> shown(const std::vector<SecretVariable>& variables) {
    std::vector<std::string> all;
    for (const auto& variable : variables) all.push_back(variable.name + "=" + std::string(variable.value.reveal()));
    return all;
}

TEST(Job, HoldsWhatTheServerSays) {
    const auto job = parsed(json{{"job_id", "00000000-1111-2222-3333-444444444444"},
                                 {"job_queue", "rpi4"},
                                 {"parent_job_id", "p1"},
                                 {"job_status_webhook", "https://hook.example.com/x"},
                                 {"client_id", "ann"},
                                 {"global_timeout", 3600},
                                 {"output_timeout", 60},
                                 {"provision_data", {{"url", "http://image"}}},
                                 {"test_data", {{"test_cmds", "true"}, {"secrets", {{"TOKEN", "s3cret"}}}}},
                                 {"reserve_data", {{"skip", true}}}});
    EXPECT_EQ(job.id, "00000000-1111-2222-3333-444444444444");
    EXPECT_EQ(job.queue, "rpi4");
    EXPECT_EQ(job.parent_id, "p1");
    EXPECT_EQ(job.webhook, "https://hook.example.com/x");
    EXPECT_EQ(job.client_id, "ann");
    EXPECT_EQ(job.global_timeout, seconds(3600));
    EXPECT_EQ(job.output_timeout, seconds(60));
    EXPECT_TRUE(job.data_of(Phase::provision).present);
    EXPECT_FALSE(job.data_of(Phase::provision).skip);
    EXPECT_THAT(shown(job.data_of(Phase::test).secrets), ElementsAre("TOKEN=s3cret"));
    EXPECT_TRUE(job.data_of(Phase::reserve).skip);
    EXPECT_FALSE(job.data_of(Phase::allocate).present);
    EXPECT_TRUE(job.has_secrets());
}

TEST(Job, NeedsNothingButAnId) {
    const auto job = parsed(json{{"job_id", "j1"}});
    EXPECT_EQ(job.queue, "");
    EXPECT_EQ(job.webhook, "");
    EXPECT_FALSE(job.global_timeout);
    EXPECT_FALSE(job.output_timeout);
    EXPECT_FALSE(job.has_secrets());
    for (const Phase phase : all_phases) EXPECT_FALSE(job.data_of(phase).present);
}

TEST(Job, TakesNullForAbsent) {
    const auto job = parsed(json{{"job_id", "j1"},
                                 {"job_queue", nullptr},
                                 {"parent_job_id", nullptr},
                                 {"job_status_webhook", nullptr},
                                 {"global_timeout", nullptr},
                                 {"output_timeout", nullptr},
                                 {"attachments_status", nullptr},
                                 {"provision_data", nullptr},
                                 {"test_data", {{"skip", nullptr}, {"secrets", nullptr}, {"test_cmds", "x"}}}});
    EXPECT_FALSE(job.global_timeout);
    EXPECT_FALSE(job.data_of(Phase::provision).present);
    EXPECT_TRUE(job.data_of(Phase::test).present);
    EXPECT_FALSE(job.has_secrets());
}

TEST(Job, EmptyPhaseDataIsAsGoodAsNone) {
    EXPECT_FALSE(parsed(with("provision_data", json::object())).data_of(Phase::provision).present);
}

TEST(Job, AttachmentsAloneAreNoDataOnceTheyAreUnpacked) {
    auto document = with("test_data", {{"attachments", json::array({{{"agent", "a"}}})}});
    EXPECT_TRUE(parsed(document).data_of(Phase::test).present);
    document["attachments_status"] = "waiting";
    EXPECT_TRUE(parsed(document).data_of(Phase::test).present);
    document["attachments_status"] = "complete";
    EXPECT_FALSE(parsed(document).data_of(Phase::test).present);
    document["test_data"]["test_cmds"] = "true";
    EXPECT_TRUE(parsed(document).data_of(Phase::test).present);
}

TEST(Job, SecretsOfEveryPhaseAreToBeMasked) {
    const auto job = parsed(json{{"job_id", "j1"},
                                 {"setup_data", {{"secrets", {{"A", "one"}}}}},
                                 {"test_data", {{"secrets", {{"B", "two"}}}}},
                                 {"cleanup_data", {{"secrets", {{"C", "three"}}}}}});
    std::vector<std::string> all;
    for (const auto& secret : job.secrets()) all.push_back(secret.name + "=" + std::string(secret.value.reveal()));
    EXPECT_THAT(all, ElementsAre("A=one", "B=two", "C=three"));
}

TEST(Job, ANullOrEmptySecretIsAnEmptyVariable) {
    const auto job = parsed(with("test_data", {{"secrets", {{"GONE", nullptr}, {"VOID", ""}}}}));
    EXPECT_THAT(shown(job.data_of(Phase::test).secrets), ElementsAre("GONE=", "VOID="));
}

TEST(Job, KeepsItsDocumentAsItArrived) {
    const std::string text = R"( {"job_id":"j1",  "new_field": {"deep": [1, 2.50, "é\u00e9"]},
                                  "test_data": {"secrets": {"T": "s3cret"}, "test_cmds": "x"}} )";
    const auto job = parsed(text);
    EXPECT_EQ(std::string_view(job.document), text);
}

TEST(Job, ThePublicDocumentKeepsUnknownFieldsAndLeavesSecretsOut) {
    json document{{"job_id", "j1"}, {"new_field", {{"deep", {1, 2.5, "é"}}}}, {"tags", {"a"}}, {"priority", -3}};
    for (const Phase phase : all_phases) {
        document[std::string(name_of(phase)) + "_data"] = {{"secrets", {{"T", "s3cret"}}}, {"kept", 1}};
    }
    const auto job = parsed(document);
    EXPECT_THAT(job.public_document, Not(HasSubstr("s3cret")));
    EXPECT_THAT(job.public_document, Not(HasSubstr("secrets")));
    for (const Phase phase : all_phases) document[std::string(name_of(phase)) + "_data"].erase("secrets");
    EXPECT_EQ(json::parse(job.public_document), document);
}

TEST(Job, IsRefusedWithoutAUsableId) {
    EXPECT_THAT(problem_of(json::object()), HasSubstr("job_id is \"\", expected a job id"));
    for (const auto* id : {"", "..", "a/b", "a b", "a.b", "é", "-\n"}) {
        EXPECT_THAT(problem_of(json{{"job_id", id}}), HasSubstr("expected a job id of letters, digits")) << id;
    }
    EXPECT_THAT(problem_of(json{{"job_id", std::string("a\0b", 3)}}), HasSubstr("job_id is \"a\\x00b\""));
    EXPECT_THAT(problem_of(json{{"job_id", std::string(129, 'a')}}), HasSubstr("expected a job id"));
    EXPECT_THAT(problem_of(json{{"job_id", 7}}), "the job's job_id is a number, expected a string");
    EXPECT_EQ(problem_of(json{{"job_id", std::string(128, 'a')}}), "no problem");
}

TEST(Job, AProblemSaysWhereWhatWasFoundAndWhatWasExpected) {
    EXPECT_EQ(problem_of(with("job_queue", json::array())), "the job's job_queue is a list, expected a string");
    EXPECT_EQ(problem_of(with("parent_job_id", 1)), "the job's parent_job_id is a number, expected a string");
    EXPECT_EQ(problem_of(with("job_status_webhook", true)),
              "the job's job_status_webhook is true or false, expected a string");
    EXPECT_EQ(problem_of(with("provision_data", "x")), "the job's provision_data is a string, expected an object");
    EXPECT_EQ(problem_of(with("test_data", {{"skip", "yes"}})),
              "the job's test_data.skip is a string, expected true or false");
    EXPECT_EQ(problem_of(with("test_data", {{"secrets", {"s3cret"}}})),
              "the job's test_data.secrets is a list, expected an object of environment names and values");
    EXPECT_EQ(problem_of(json::array()), "the job is a list, expected an object");
    EXPECT_EQ(problem_of(json()), "the job is null, expected an object");
}

TEST(Job, TimeoutsAreWholeSecondsWithinReason) {
    EXPECT_EQ(parsed(with("global_timeout", 0)).global_timeout, seconds(0));
    EXPECT_EQ(parsed(with("output_timeout", 10'000'000)).output_timeout, seconds(10'000'000));
    const std::vector<json> wrong{-1, 10'000'001, 1.5, "60", true, json::array(), UINT64_MAX, INT64_MIN, 1e300};
    for (const auto& value : wrong) {
        EXPECT_THAT(problem_of(with("global_timeout", value)), HasSubstr("expected a number of seconds")) << value;
        EXPECT_THAT(problem_of(with("output_timeout", value)), HasSubstr("expected a number of seconds")) << value;
    }
}

TEST(Job, SecretNamesAreEnvironmentNames) {
    for (const auto* name : {"A", "_", "a1", "LONG_NAME_2"}) {
        EXPECT_EQ(problem_of(with("test_data", {{"secrets", {{name, "v"}}}})), "no problem") << name;
    }
    for (const auto* name : {"", "1A", "A-B", "A B", "A=B", "é", "A\nB"}) {
        EXPECT_THAT(problem_of(with("test_data", {{"secrets", {{name, "v"}}}})),
                    HasSubstr("expected an environment name"))
            << name;
    }
}

TEST(Job, NoProblemQuotesASecretsValue) {
    const std::vector<json> documents{
        with("test_data", {{"secrets", {{"A", {{"value", "s3cret"}}}}}}),
        with("test_data", {{"secrets", {{"A", {"s3cret"}}}}}),
        with("test_data", {{"secrets", {{"A-", "s3cret"}}}}),
        with("test_data", {{"secrets", {{"A", std::string("s3cret\0", 7)}}}}),
        with("test_data", {{"secrets", "s3cret"}}),
        with("test_data", {{"secrets", {{"A", "s3cret"}}}, {"skip", 1}}),
        {{"job_id", "../"}, {"test_data", {{"secrets", {{"A", "s3cret"}}}}}},
        {{"job_id", "j1"}, {"global_timeout", "soon"}, {"test_data", {{"secrets", {{"A", "s3cret"}}}}}},
    };
    for (const auto& document : documents) {
        EXPECT_NE(problem_of(document), "no problem") << document;
        EXPECT_THAT(problem_of(document), Not(HasSubstr("s3cret"))) << document;
    }
    EXPECT_THAT(problem_of_text(R"({"job_id": "j1", "test_data": {"secrets": {"A": "s3cret)"),
                Not(HasSubstr("s3cret")));
    EXPECT_THAT(problem_of(with("test_data", {{"secrets", {{"A", std::string("s3cret\0", 7)}}}})),
                HasSubstr("test_data.secrets.A holds a NUL byte"));
}

TEST(Job, IsRefusedWhenItIsNotJson) {
    for (const std::string text : {"", "{", "nonsense", R"({"job_id": "j1",})", R"({"job_id": "j1"} more)",
                                   "{\"job_id\": \"\xFF\"}", "{\"job_id\": \"a\nb\"}"}) {
        EXPECT_THAT(problem_of_text(text), StartsWith("the job:1:")) << text;
    }
    EXPECT_EQ(problem_of_text(std::string("{\"job_id\": \"j1\"}\0", 17)),
              "the job: this is not JSON: it holds a NUL byte");
}

TEST(Job, IsRefusedWhenItIsNestedTooDeep) {
    for (const std::size_t levels : {102U, 10'000U, 100'000U}) {
        std::string lists = R"({"job_id": "j1", "x": )" + std::string(levels, '[') + std::string(levels, ']') + "}";
        EXPECT_THAT(problem_of_text(lists), HasSubstr("nested more than 100 levels")) << levels;
        EXPECT_THAT(problem_of_text(std::string(levels, '[')), HasSubstr("nested more than 100 levels")) << levels;
    }
    const std::string fine = R"({"job_id": "j1", "x": )" + std::string(90, '[') + std::string(90, ']') + "}";
    EXPECT_EQ(problem_of_text(fine), "no problem");
}

TEST(JobId, IsFoundInAJobThatCannotBeRead) {
    EXPECT_EQ(job_id_of(R"({"job_id": "j1", "global_timeout": "soon"})"), "j1");
    EXPECT_EQ(job_id_of(R"({"test_data": {"job_id": "inner", "secrets": {"A": []}}, "job_id": "j1"})"), "j1");
    EXPECT_EQ(job_id_of(R"({"x": )" + std::string(10'000, '[') + std::string(10'000, ']') + R"(, "job_id": "j1"})"),
              "j1");
}

TEST(JobId, IsEmptyWhereThereIsNoneToBeUsed) {
    for (const std::string text : {"", "[]", "{}", R"({"job_id": 7})", R"({"job_id": "../etc"})", R"({"job_id": "j1)",
                                   R"({"inner": {"job_id": "j1"}})", R"(["job_id", "j1"])", R"("job_id")"}) {
        EXPECT_EQ(job_id_of(text), "") << text;
    }
}

TEST(Phase, IsFoundByItsName) {
    for (const Phase phase : all_phases) EXPECT_EQ(phase_named(name_of(phase)), phase);
    EXPECT_FALSE(phase_named("provisioning"));
    EXPECT_FALSE(phase_named(""));
}

TEST(Job, RefusesSecretsWhoseNamesChangeHowProgramsRun) {
    for (const auto* name : {"LD_PRELOAD",
                             "LD_LIBRARY_PATH",
                             "PATH",
                             "IFS",
                             "ENV",
                             "BASH_ENV",
                             "BASH_FUNC_x",
                             "SHELLOPTS",
                             "PS4",
                             "PROMPT_COMMAND",
                             "PYTHONPATH",
                             "PYTHONSTARTUP",
                             "PERL5LIB",
                             "PERL5OPT",
                             "RUBYOPT",
                             "NODE_OPTIONS",
                             "GCONV_PATH",
                             "GLIBC_TUNABLES",
                             "TREBUCHET_MASK_FILE",
                             "HOME"}) {
        EXPECT_TRUE(is_dangerous_name(name)) << name;
    }
    for (const auto* name : {"MY_PATH", "PATHS", "LD", "ENVIRONMENT", "PYTHO", "PERL", "HOME_URL", "BASH", "path"}) {
        EXPECT_FALSE(is_dangerous_name(name)) << name;
    }
}

TEST(Job, KeepsRefusedSecretsOutOfItsDocumentsButHasThemMasked) {
    const auto job =
        parsed(with("test_data", {{"secrets", {{"LD_PRELOAD", "/evil.so"}, {"TOKEN", "s3cret"}}}, {"test_cmds", "x"}}));
    EXPECT_THAT(std::string(job.document), AllOf(Not(HasSubstr("evil")), Not(HasSubstr("LD_PRELOAD")),
                                                 HasSubstr("s3cret"), HasSubstr("test_cmds")));
    ASSERT_EQ(job.secrets().size(), 2U);
    EXPECT_EQ(job.secrets()[0].value.reveal(), "/evil.so");
    EXPECT_TRUE(job.data_of(Phase::test).secrets[0].is_refused);
    EXPECT_FALSE(job.data_of(Phase::test).secrets[1].is_refused);
}

TEST(Job, TakesADangerousNameThatTheLabAllows) {
    const auto text = with("test_data", {{"secrets", {{"PYTHONPATH", "/lib"}, {"PATH", "/bin"}}}}).dump();
    const auto job = parse_job(text, {"PYTHONPATH"});
    ASSERT_TRUE(job);
    EXPECT_TRUE(job->data_of(Phase::test).secrets[0].is_refused);
    EXPECT_FALSE(job->data_of(Phase::test).secrets[1].is_refused);
    EXPECT_THAT(std::string(job->document), AllOf(HasSubstr("PYTHONPATH"), Not(HasSubstr("\"PATH"))));
}

TEST(Job, OfAKeyThatOccursTwiceOnlyTheLastCountsAndEachValueIsMasked) {
    const auto job = parsed(std::string(R"({"job_id": "j0", "job_id": "j1",
        "test_data": {"secrets": {"A": "first"}, "test_cmds": "lost"},
        "test_data": {"secrets": {"B": "lost too"}, "secrets": {"A": "second", "A": "third", "C": "fourth"}}})"));
    EXPECT_EQ(job.id, "j1");
    EXPECT_THAT(shown(job.data_of(Phase::test).secrets), ElementsAre("A=third", "C=fourth"));
    const std::string document(job.document);
    EXPECT_THAT(document,
                AllOf(HasSubstr("third"), Not(HasSubstr("first")), Not(HasSubstr("second")), Not(HasSubstr("lost"))));
    EXPECT_THAT(job.public_document, Not(HasSubstr("lost")));
    std::vector<std::string> masked;
    for (const auto& secret : job.secrets()) masked.emplace_back(secret.value.reveal());
    EXPECT_THAT(masked, UnorderedElementsAre("first", "second", "third", "fourth", "lost too"));
}

TEST(Job, MasksTheSecretsOfAnObjectThatALaterTextReplaces) {
    const auto job = parsed(std::string(
        R"({"job_id": "j1", "test_data": {"secrets": {"A": "first"}, "test_cmds": "x"}, "test_data": null})"));
    EXPECT_TRUE(job.has_secrets());
    ASSERT_EQ(job.secrets().size(), 1U);
    EXPECT_EQ(job.secrets()[0].value.reveal(), "first");
    EXPECT_FALSE(job.data_of(Phase::test).present);
}

}  // namespace
}  // namespace trebuchet
