#include "common/repository_file/repository_file.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

RepositoryFile usable(const std::string& text) {
    auto file = parse_repository_file(text);
    EXPECT_TRUE(file) << (file ? "" : file.error().front().message("f"));
    return file ? std::move(*file) : RepositoryFile();
}

std::string findings_in(const std::string& text) {
    std::string lines;
    for (const auto& finding : usable(text).findings) lines += finding.problem.message("f") + "\n";
    return lines;
}

std::string refusal_of(const std::string& text) {
    const auto file = parse_repository_file(text);
    std::string lines;
    if (!file) {
        for (const auto& problem : file.error()) lines += problem.message("f") + "\n";
    }
    return lines;
}

TEST(RepositoryFile, RefusesWhatItCannotUseWithThePlace) {
    EXPECT_THAT(refusal_of(""), HasSubstr("expected a map"));
    EXPECT_THAT(refusal_of("version: 2\n"), HasSubstr("f:1:10: found another version"));
    EXPECT_THAT(refusal_of("version: \"one\"\n"), HasSubstr("expected version: 1"));
    EXPECT_THAT(refusal_of("version: 1\nenvironments: []\n"), HasSubstr("f:2:15: found a list"));
    EXPECT_THAT(refusal_of("version: 1\nenvironment:\n  rpi\\d: {}\n"), HasSubstr("f:3:3: found \\d"));
    EXPECT_THAT(refusal_of("version: 1\nenvironment:\n  rpi4:\n"), HasSubstr("f:3:3: found nothing"));
    EXPECT_THAT(refusal_of("version: 1\n/smoke: 1\n"), HasSubstr("f:2:9"));
    EXPECT_THAT(refusal_of("version: 1\ntest: x\n"), HasSubstr("f:2:7"));
    EXPECT_THAT(refusal_of("version: 1\nenvironments:\n  tmt: {context: 1}\n"), HasSubstr("f:3:18"));
    EXPECT_THAT(refusal_of("a: [\n"), HasSubstr("f:2"));
}

TEST(RepositoryFile, FindsWhatDoesNothing) {
    EXPECT_THAT(findings_in("environments: {}\n"), HasSubstr("f:1:1: found no version"));
    EXPECT_THAT(findings_in("version: 1\nenviroments: {}\n"),
                HasSubstr("f:2:1: the key \"enviroments\" does nothing: did you mean environments?"));
    EXPECT_THAT(findings_in("version: 1\nenvironment:\n  secrets: {A: x}\n"),
                HasSubstr("f:3:3: environment.secrets does nothing: expected environments.secrets"));
    EXPECT_THAT(findings_in("version: 1\nenvironments:\n  default:\n    secrets: {A: x}\n"),
                HasSubstr("f:3:3: what stands below \"default\" does nothing"));
    EXPECT_THAT(findings_in("version: 1\n/smoke:\n  secrets: {}\n"), HasSubstr("f:3:3: the key \"secrets\""));
    EXPECT_THAT(findings_in("version: 1\nenvironments: {secrets: {\"A-B\": x}}\n"), HasSubstr("name of a variable"));
    EXPECT_THAT(findings_in("version: 1\nversion: 1\n"), HasSubstr("version"));
    EXPECT_EQ(findings_in("version: 1\nenvironments: {arch: x86_64, variables: {A: 1, B: yes}}\n"), "");
}

TEST(RepositoryFile, QuotesNoValue) {
    const std::string secret = "hunter2-of-the-lab";
    EXPECT_THAT(
        findings_in("version: 1\nenvironments:\n  secrets:\n    A: " + secret + "\n    B: [" + secret + "]\n" +
                    "  variables: {TOKEN: " + secret + "}\n  tmt: {environment: {C: [x, " + secret + "]}}\n"),
        AllOf(HasSubstr("f:4:8: found a text that is not encrypted"), HasSubstr("f:5:9"),
              HasSubstr("f:6:22: found plain text that looks like a secret"),
              HasSubstr("f:7:30: found a text that is not encrypted as an alternative"), Not(HasSubstr(secret))));
    for (const auto* mark : {"!", "*", "&a !", "!<"}) {
        EXPECT_THAT(refusal_of("version: 1\nenvironments: {secrets: {A: " + (mark + secret) + "}}\n"),
                    Not(HasSubstr(secret)));
    }
    EXPECT_THAT(refusal_of("version: " + secret + "\nenvironments: " + secret + "\n"), Not(HasSubstr(secret)));
}

TEST(RepositoryFile, KeepsTheTextOfVariablesAsWritten) {
    const auto file = usable("version: 1\nenvironments: {variables: {A: 0x10, B: yes, C: 1_000, D: \"\"}}\n");
    EXPECT_EQ(file.environments.all->values["variables"].dump(), R"({"A":"0x10","B":"yes","C":"1_000","D":""})");
}

TEST(RepositoryFile, BoundsItsPatterns) {
    std::string text = "version: 1\nenvironment:\n";
    for (int i = 0; i < 201; ++i) text += "  e" + std::to_string(i) + ": {}\n";
    EXPECT_THAT(refusal_of(text), HasSubstr("more than 200 names"));
}

}  // namespace
}  // namespace trebuchet
