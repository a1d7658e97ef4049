#include "provision/cli/command_line.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;

tl::expected<Arguments, UsageError> parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "trebuchet-provision");
    return parse_command_line(static_cast<int>(arguments.size()), arguments.data());
}

std::string usage_error(const std::vector<const char*>& arguments) {
    const auto parsed = parse(arguments);
    return parsed ? "" : parsed.error().text;
}

TEST(CommandLine, TakesTheReferencesForm) {
    const auto parsed = parse({"fake_connector", "runtest", "-c", "default.yaml", "testflinger.json"});
    ASSERT_TRUE(parsed);
    const auto& stage = std::get<StageArguments>(*parsed);
    EXPECT_EQ(stage.type, "fake_connector");
    EXPECT_EQ(stage.stage, Stage::runtest);
    EXPECT_EQ(stage.config, "default.yaml");
    EXPECT_EQ(stage.job, "testflinger.json");
}

TEST(CommandLine, TakesTheOptionAnywhereAndInItsLongForm) {
    for (const auto& arguments : {std::vector<const char*>{"--config=c", "fake_connector", "reserve", "j"},
                                  std::vector<const char*>{"fake_connector", "--config", "c", "reserve", "j"},
                                  std::vector<const char*>{"fake_connector", "reserve", "j", "-cc"}}) {
        const auto parsed = parse(arguments);
        ASSERT_TRUE(parsed);
        EXPECT_EQ(std::get<StageArguments>(*parsed).stage, Stage::reserve);
        EXPECT_EQ(std::get<StageArguments>(*parsed).config, "c");
    }
}

TEST(CommandLine, KnowsEveryStageAndTestAsRuntest) {
    for (const auto& name : stage_names()) {
        const auto parsed = parse({"fake_connector", name.c_str(), "-c", "c", "j"});
        ASSERT_TRUE(parsed) << name;
        EXPECT_EQ(name_of(std::get<StageArguments>(*parsed).stage), name);
    }
    EXPECT_EQ(std::get<StageArguments>(*parse({"fake_connector", "test", "-c", "c", "j"})).stage, Stage::runtest);
}

TEST(CommandLine, ListsTheValidTypesAndTheNearestOne) {
    const auto text = usage_error({"fake_conector", "test", "-c", "c", "j"});
    EXPECT_THAT(text, HasSubstr("unknown type \"fake_conector\"; did you mean \"fake_connector\"?"));
    EXPECT_THAT(text, HasSubstr("Valid types: "));
}

TEST(CommandLine, ListsTheValidStagesAndTheNearestOne) {
    const auto text = usage_error({"fake_connector", "provisio", "-c", "c", "j"});
    EXPECT_THAT(text, HasSubstr("unknown stage \"provisio\"; did you mean \"provision\"?"));
    EXPECT_THAT(text, HasSubstr("Valid stages: provision, firmware_update, runtest, allocate, reserve, cleanup\n"));
}

TEST(CommandLine, SaysWhatIsMissing) {
    EXPECT_THAT(usage_error({}), HasSubstr("TYPE is missing"));
    EXPECT_THAT(usage_error({"fake_connector"}), HasSubstr("STAGE is missing"));
    EXPECT_THAT(usage_error({"fake_connector", "test", "j"}), HasSubstr("expected -c CONFIG.yaml"));
    EXPECT_THAT(usage_error({"fake_connector", "test", "-c", "c"}), HasSubstr("the job is missing"));
    EXPECT_THAT(usage_error({"fake_connector", "test", "-c"}), HasSubstr("--config"));
}

TEST(CommandLine, SaysWhatIsTooMuch) {
    EXPECT_THAT(usage_error({"fake_connector", "test", "-c", "c", "j", "more"}), HasSubstr("more"));
    EXPECT_THAT(usage_error({"--frobnicate"}), HasSubstr("--frobnicate"));
}

TEST(CommandLine, ChecksAConfiguration) {
    const auto any = std::get<CheckArguments>(*parse({"check", "-c", "default.yaml"}));
    EXPECT_EQ(any.config, "default.yaml");
    EXPECT_EQ(any.type, "");
    EXPECT_EQ(std::get<CheckArguments>(*parse({"check", "-c", "default.yaml", "qemu"})).type, "qemu");
    EXPECT_THAT(usage_error({"check"}), HasSubstr("expected check -c CONFIG.yaml"));
    EXPECT_THAT(usage_error({"check", "-c", "c", "qmu"}), HasSubstr("did you mean \"qemu\"?"));
    EXPECT_THAT(usage_error({"check", "-c", "c", "qemu", "job.json"}), HasSubstr("\"job.json\""));
}

TEST(CommandLine, ListsATypesKeys) {
    const auto help = std::get<Answer>(*parse({"qemu", "--help"})).text;
    EXPECT_THAT(help, HasSubstr("Usage: trebuchet-provision qemu STAGE"));
    EXPECT_THAT(help, testing::ContainsRegex("qemu_disk +absolute path [^\n]*required"));
    EXPECT_THAT(help, testing::ContainsRegex("qemu_memory +memory in MiB [^\n]*default 512"));
    EXPECT_THAT(help, HasSubstr("serial_host"));
}

TEST(CommandLine, AnswersQuestions) {
    EXPECT_THAT(std::get<Answer>(*parse({"list"})).text, HasSubstr("fake_connector\n"));
    EXPECT_THAT(std::get<Answer>(*parse({"--version"})).text, testing::MatchesRegex("trebuchet-provision [0-9.]+\n"));
    const auto help = std::get<Answer>(*parse({"--help"})).text;
    EXPECT_THAT(help, HasSubstr("Usage: trebuchet-provision TYPE STAGE -c CONFIG.yaml JOB.json"));
    EXPECT_THAT(help, HasSubstr("firmware_update"));
    EXPECT_THAT(help, HasSubstr("fake_connector"));
}

}  // namespace
}  // namespace trebuchet
