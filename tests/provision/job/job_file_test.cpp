#include "provision/job/job_file.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <string>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

JobFile job(const std::string& text) {
    auto parsed = JobFile::parse(text, "job.json");
    EXPECT_TRUE(parsed) << parsed.error().message();
    return std::move(parsed).value();
}

std::string parse_problem(const std::string& text) {
    const auto parsed = JobFile::parse(text, "job.json");
    return parsed ? "" : parsed.error().message();
}

TEST(JobFile, ReadsTestCommandsAsListOrScript) {
    const auto list = job(R"({"test_data": {"test_cmds": ["a", "b"]}})").test_commands();
    ASSERT_TRUE(list);
    EXPECT_EQ(std::get<std::vector<std::string>>(*list), (std::vector<std::string>{"a", "b"}));
    const auto script = job(R"({"test_data": {"test_cmds": "a\nb"}})").test_commands();
    ASSERT_TRUE(script);
    EXPECT_EQ(std::get<std::string>(*script), "a\nb");
}

TEST(JobFile, HasNoTestCommandsWithoutTestData) {
    for (const auto* text :
         {"{}", R"({"test_data": null})", R"({"test_data": {}})", R"({"test_data": {"test_cmds": null}})"}) {
        const auto commands = job(text).test_commands();
        ASSERT_TRUE(commands);
        EXPECT_TRUE(std::holds_alternative<std::monostate>(*commands)) << text;
    }
}

TEST(JobFile, NamesTheFieldOfTheWrongType) {
    EXPECT_EQ(job(R"({"test_data": [1]})").test_commands().error().message(),
              "job.json: test_data: found a list, expected an object");
    EXPECT_EQ(job(R"({"test_data": {"test_cmds": ["a", 5]}})").test_commands().error().message(),
              "job.json: test_data.test_cmds[1]: found a number, expected a command as text");
    EXPECT_EQ(job(R"({"test_data": {"test_cmds": true}})").test_commands().error().message(),
              "job.json: test_data.test_cmds: found true or false, expected a list of commands, or a script");
    EXPECT_EQ(job(R"({"reserve_data": {"ssh_keys": "lp:me"}})").reserve_data().error().message(),
              "job.json: reserve_data.ssh_keys: found a string, expected a list of names or public keys");
}

TEST(JobFile, ACommandWithNulIsRefused) {
    EXPECT_FALSE(job(R"({"test_data": {"test_cmds": ["a\u0000b"]}})").test_commands());
}

TEST(JobFile, ReadsSecretsEmptyOnesAndNullIncluded) {
    const auto secrets = job(R"({"test_data": {"secrets": {"A": "value", "B": "", "C": null}}})").test_secrets();
    ASSERT_TRUE(secrets);
    EXPECT_EQ(secrets->at("A")->reveal(), "value");
    EXPECT_EQ(secrets->at("B")->reveal(), "");
    EXPECT_FALSE(secrets->at("C"));
}

TEST(JobFile, NeverQuotesASecretInAnError) {
    for (const auto* text :
         {R"({"test_data": {"secrets": {"A": 123456}}})", R"({"test_data": {"secrets": {"A": ["123456"]}}})",
          R"({"test_data": {"secrets": {"A": "123456\u0000"}}})"}) {
        const auto secrets = job(text).test_secrets();
        ASSERT_FALSE(secrets) << text;
        EXPECT_NE(secrets.error().message().find("test_data.secrets.A"), std::string::npos);
        EXPECT_EQ(secrets.error().message().find("123456"), std::string::npos) << secrets.error().message();
    }
    const auto broken = parse_problem("{\"test_data\":\n  {\"secrets\": {\"A\": \"hunter2\", hunter2");
    EXPECT_TRUE(broken.starts_with("job.json:2:")) << broken;
    EXPECT_EQ(broken.find("hunter2"), std::string::npos) << broken;
}

TEST(JobFile, RefusesAnInvalidVariableName) {
    for (const auto* name : {"", "1A", "A=B", "A B"}) {
        EXPECT_FALSE(job(R"({"test_data": {"secrets": {")" + std::string(name) + R"(": "v"}}})").test_secrets())
            << name;
    }
}

TEST(JobFile, TheUserIsUbuntuUnlessTheJobSaysOtherwise) {
    EXPECT_EQ(job("{}").test_username().value(), "ubuntu");
    EXPECT_EQ(job(R"({"test_data": {"test_username": "admin"}})").test_username().value(), "admin");
    EXPECT_FALSE(job(R"({"test_data": {"test_username": "-oProxyCommand=x"}})").test_username());
    EXPECT_FALSE(job(R"({"test_data": {"test_username": ""}})").test_username());
    EXPECT_FALSE(job(R"({"test_data": {"test_username": 5}})").test_username());
}

TEST(JobFile, ReadsReservations) {
    const auto data = job(R"({"reserve_data": {"ssh_keys": ["lp:a", "gh:b"], "timeout": 60}})").reserve_data();
    ASSERT_TRUE(data);
    EXPECT_EQ(data->ssh_keys, (std::vector<std::string>{"lp:a", "gh:b"}));
    EXPECT_EQ(data->timeout.count(), 60);
    EXPECT_EQ(job("{}").reserve_data()->timeout.count(), 3600);
    EXPECT_EQ(job(R"({"reserve_data": {"timeout": "2h30m"}})").reserve_data()->timeout.count(), 9000);
    EXPECT_EQ(job(R"({"reserve_data": {"timeout": "60"}})").reserve_data()->timeout.count(), 60);
    EXPECT_EQ(job(R"({"reserve_data": {"timeout": 60.0}})").reserve_data()->timeout.count(), 60);
    for (const auto* timeout : {"-1", "1e300", "true", "\"soon\"", "[]"}) {
        EXPECT_FALSE(job(R"({"reserve_data": {"timeout": )" + std::string(timeout) + "}}").reserve_data()) << timeout;
    }
}

TEST(JobFile, ShowsProvisionDataIndented) {
    EXPECT_EQ(std::string_view(job(R"({"provision_data": {"url": "http://x"}})").provision_data_text()),
              "{\n  \"url\": \"http://x\"\n}");
    EXPECT_EQ(std::string_view(job("{}").provision_data_text()), "{}");
    EXPECT_EQ(std::string_view(job(R"({"provision_data": null})").provision_data_text()), "{}");
}

TEST(JobFile, KnowsItsId) {
    EXPECT_EQ(job(R"({"job_id": "abc"})").id(), "abc");
    EXPECT_EQ(job(R"({"job_id": 5})").id(), "<job_id>");
    EXPECT_EQ(job("{}").id(), "<job_id>");
}

TEST(JobFile, RefusesANonObjectAndDeepNesting) {
    EXPECT_EQ(parse_problem("[]"), "job.json: found a list, expected the job as an object");
    EXPECT_EQ(parse_problem(""), "job.json:1:1: this is not JSON; expected the job as the agent wrote it");
    EXPECT_EQ(parse_problem("{\"a\": " + std::string(90, '[') + std::string(90, ']') + "}"), "");
    EXPECT_NE(parse_problem("{\"a\": " + std::string(200, '[') + std::string(200, ']') + "}").find("100 levels"),
              std::string::npos);
    EXPECT_NE(parse_problem(std::string(1'000'000, '[')), "");
    EXPECT_NE(parse_problem("{\"a\": \"\xff\"}"), "");
}

TEST(JobFile, RefusesAFileBeyondTheLimitAndOneThatIsMissing) {
    const TemporaryFolder folder;
    folder.write("job.json", "{\"a\": \"" + std::string(JobFile::max_bytes, 'x') + "\"}");
    const auto too_long = JobFile::load(folder / "job.json");
    ASSERT_FALSE(too_long);
    EXPECT_NE(too_long.error().message().find("16777216 bytes"), std::string::npos) << too_long.error().message();
    EXPECT_FALSE(JobFile::load(folder / "missing.json"));
    EXPECT_FALSE(JobFile::load(folder.path()));
}

}  // namespace
}  // namespace trebuchet
