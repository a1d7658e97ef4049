#include "common/file/safe_file.hpp"
#include "common/repository_file/file_advice.hpp"
#include "common/repository_file/request_patch.hpp"

#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

// Each shape that public repositories have (tests/testdata/testing-farm/index.json).

namespace trebuchet {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

const std::string first_token = "41ab9259-0637-4c82-a26c-a65266b28984";

struct Shape {
    RepositoryFile file;
    std::string findings;
};

Shape shape(const std::string& name) {
    const auto text = read_file(std::filesystem::path(TREBUCHET_SHAPES) / name, 1U << 20U);
    auto file = parse_repository_file(text.value_or(""));
    EXPECT_TRUE(file) << name << ": " << (file ? "" : file.error().front().message(name));
    if (!file) return {};
    std::string findings;
    for (const auto& finding : file->findings) findings += finding.problem.message(name) + "\n";
    return {std::move(*file), findings};
}

const std::map<std::string, EncryptedValue>& secrets_of(const Shape& shape) {
    static const std::map<std::string, EncryptedValue> none;
    return shape.file.environments.all ? shape.file.environments.all->secrets : none;
}

TEST(Shapes, OneEntryForEachToken) {
    const auto found = shape("01-list-two-tokens.yaml");
    EXPECT_EQ(found.findings, "");
    const auto& entries = secrets_of(found).at("CONFIG_URL").entries;
    ASSERT_THAT(entries, SizeIs(2));
    EXPECT_EQ(entries[0].user, first_token);
    EXPECT_EQ(entries[0].at.line, 6);
}

TEST(Shapes, OneText) {
    const auto found = shape("02-single-string.yaml");
    EXPECT_EQ(found.findings, "");
    EXPECT_THAT(secrets_of(found).at("CONFIG_URL").entries, SizeIs(1));
}

TEST(Shapes, CopiedFromAnotherRepositoryHasTheSameCiphertext) {
    const auto copied = shape("03-copied-from-another-repository.yaml");
    const auto original = shape("02-single-string.yaml");
    EXPECT_EQ(secrets_of(copied).at("CONFIG_URL").entries[0].base64,
              secrets_of(original).at("CONFIG_URL").entries[0].base64);
}

TEST(Shapes, SecretsUnderDefaultDoNothing) {
    const auto found = shape("04-environments-default-secrets.yaml");
    EXPECT_THAT(found.findings, HasSubstr("04-environments-default-secrets.yaml:4:3: what stands below \"default\""));
    EXPECT_THAT(found.findings, HasSubstr("found no version"));
    EXPECT_THAT(secrets_of(found), SizeIs(0));
}

TEST(Shapes, SecretsUnderEnvironmentDoNothing) {
    const auto found = shape("05-environment-singular-block-scalar.yaml");
    EXPECT_THAT(found.findings, HasSubstr(":4:3: environment.secrets does nothing"));
    EXPECT_THAT(found.file.environments.named, SizeIs(0));
}

TEST(Shapes, SplitByHandInParts) {
    const auto found = shape("06-split-in-parts.yaml");
    EXPECT_EQ(found.findings, "");
    EXPECT_THAT(secrets_of(found), SizeIs(7));
}

TEST(Shapes, WrongNameOfTheFile) {
    EXPECT_EQ(shape("07-wrong-name.testing-farm.yml").findings, "");
    EXPECT_NE(name_problem("07-wrong-name.testing-farm.yml"), "");
}

TEST(Shapes, OneTokenTwice) {
    const auto found = shape("08-same-token-twice-with-owners.yaml");
    EXPECT_EQ(found.findings, "");
    const auto& entries = secrets_of(found).at("CI_TOKEN").entries;
    ASSERT_THAT(entries, SizeIs(2));
    EXPECT_EQ(entries[0].user, entries[1].user);
}

TEST(Shapes, ThreeEntriesForEachOfSevenParts) {
    const auto found = shape("09-three-per-key.yaml");
    EXPECT_EQ(found.findings, "");
    for (const auto& [name, value] : secrets_of(found)) EXPECT_THAT(value.entries, SizeIs(3)) << name;
}

TEST(Shapes, TwoSecrets) {
    const auto found = shape("10-two-plain-secrets.yaml");
    EXPECT_EQ(found.findings, "");
    EXPECT_THAT(secrets_of(found), SizeIs(2));
}

TEST(Shapes, APlaceholderHasNoValue) {
    const auto found = shape("11-placeholder-left-in.yaml");
    EXPECT_THAT(found.findings, HasSubstr(":5:15: found a placeholder"));
    EXPECT_THAT(secrets_of(found).at("CI_TOKEN").entries, SizeIs(0));
}

TEST(Shapes, PlainTextInTmtEnvironmentIsNoFallback) {
    const auto found = shape("12-tmt-environment-plaintext.yaml");
    EXPECT_THAT(found.findings, HasSubstr(":8:11: found a text that is not encrypted as an alternative"));
    const auto& patch = *found.file.environments.all;
    EXPECT_EQ(patch.values["tmt"]["environment"].dump(), R"({"MODE":"plain text is allowed here"})");
    EXPECT_THAT(patch.tmt_secrets.at("STORE_TOKEN").entries, SizeIs(1));
}

TEST(Shapes, NothingIsNoValue) {
    const auto found = shape("13-null-value.yaml");
    EXPECT_THAT(found.findings, HasSubstr(":4:5: found nothing"));
    EXPECT_THAT(secrets_of(found).at("CI_TOKEN").entries, SizeIs(0));
}

TEST(Shapes, PatternsPlansAndSettingsOfTheSpecification) {
    const auto found = shape("14-rfd2-only.yaml");
    EXPECT_EQ(found.findings, "");
    EXPECT_EQ(found.file.settings.dump(), R"({"pipeline":{"type":"tmt-multihost"}})");
    const auto patch = patch_for(found.file, {"x86_64-fedora"}, std::nullopt);
    EXPECT_THAT(patch.secrets.at("TOKEN").entries, SizeIs(1));
    EXPECT_EQ(patch.secrets.at("TOKEN").entries[0].user, "");
    EXPECT_EQ(patch.values["tmt"]["context"]["how"], "full");
    EXPECT_THAT(patch_for(found.file, {"my-x86_64-fedora"}, std::nullopt).secrets, SizeIs(0));
    EXPECT_EQ(patch_for(found.file, {"aarch64-env"}, "/smoke-1").values["variables"].dump(), R"({"LEVEL":"1"})");
    EXPECT_FALSE(patch_for(found.file, {"aarch64-env"}, "/other").values.contains("variables"));
}

}  // namespace
}  // namespace trebuchet
