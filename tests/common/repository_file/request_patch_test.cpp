#include "common/repository_file/request_patch.hpp"

#include "common/secret/base64.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using Json = nlohmann::json;
using testing::HasSubstr;

const std::string cipher(std::string_view(base64_encoded(std::string(512, 'c'))));
const std::string other_cipher(std::string_view(base64_encoded(std::string(512, 'o'))));

RepositoryFile file_of(const std::string& text) {
    auto file = parse_repository_file("version: 1\n" + text);
    EXPECT_TRUE(file) << (file ? "" : file.error().front().message("f"));
    return file ? std::move(*file) : RepositoryFile();
}

Json patched(const std::string& file, const std::string& request, const std::optional<std::string>& plan = {}) {
    const auto result = patch_request(Json::parse(request), file_of(file), plan, keep_encrypted);
    EXPECT_TRUE(result) << (result ? "" : result.error().message());
    return result.value_or(Json());
}

TEST(RequestPatch, ForcesTheNamedValuesAndKeepsTheRest) {
    EXPECT_EQ(patched("environments:\n  arch: aarch64\n  variables: {A: new}\n  tmt: {context: {how: full}}\n",
                      R"({"api_key": "k", "environments": [{"arch": "x86_64", "os": {"compose": "F"},
                          "variables": {"A": "old", "B": "b"}, "tmt": {"context": {"arch": "x"}}}]})"),
              Json::parse(R"({"api_key": "k", "environments": [{"arch": "aarch64", "os": {"compose": "F"},
                          "variables": {"A": "new", "B": "b"}, "tmt": {"context": {"arch": "x", "how": "full"}}}]})"));
}

TEST(RequestPatch, PatchesTestAndSettings) {
    EXPECT_EQ(patched("test: {fmf: {name: /a}}\nsettings: {pipeline: {type: tmt-multihost}}\n",
                      R"({"test": {"fmf": {"url": "u", "name": "/b"}}})"),
              Json::parse(R"({"test": {"fmf": {"url": "u", "name": "/a"}},
                              "settings": {"pipeline": {"type": "tmt-multihost"}}})"));
}

TEST(RequestPatch, PatchesEnvironmentsWhoseWholeNameMatchesInTheOrderOfTheFile) {
    const auto* file =
        "environments: {variables: {A: all, B: all}}\n"
        "environment:\n  rpi.*: {variables: {A: first, C: first}}\n  rpi4: {variables: {C: second}}\n"
        "  rpi: {variables: {A: never}}\n";
    EXPECT_EQ(patched(file, R"({"environments": [{"name": "rpi4"}, {"name": "xrpi4"}, {}]})"),
              Json::parse(R"({"environments": [
                  {"name": "rpi4", "variables": {"A": "first", "B": "all", "C": "second"}},
                  {"name": "xrpi4", "variables": {"A": "all", "B": "all"}},
                  {"variables": {"A": "all", "B": "all"}}]})"));
}

TEST(RequestPatch, PatchesThePlanThatIsAskedFor) {
    const auto* file =
        "environments: {variables: {A: all}}\n"
        "/smoke-.*:\n  environments: {variables: {B: plan}}\n  environment: {rpi4: {variables: {A: both}}}\n"
        "/smoke-x:\n  environments: {variables: {B: later}}\n";
    const auto* request = R"({"environments": [{"name": "rpi4"}]})";
    const auto variables = [&](const std::optional<std::string>& plan) {
        return patched(file, request, plan)["environments"][0]["variables"].dump();
    };
    EXPECT_EQ(variables(std::nullopt), R"({"A":"all"})");
    EXPECT_EQ(variables("/smoke-1"), R"({"A":"both","B":"plan"})");
    EXPECT_EQ(variables("/smoke-x"), R"({"A":"both","B":"later"})");
    EXPECT_EQ(variables("/other/smoke-1"), R"({"A":"all"})");
}

TEST(RequestPatch, WritesSecretsAsTheyStand) {
    const auto file = "environments:\n  secrets:\n    A: " + cipher + "\n    B: [\"u1," + cipher + "\", \"u2," +
                      other_cipher + "\"]\n";
    EXPECT_EQ(patched(file, R"({"environments": [{"secrets": {"Z": "z"}}]})")["environments"][0]["secrets"],
              (Json{{"A", cipher}, {"B", {"u1," + cipher, "u2," + other_cipher}}, {"Z", "z"}}));
}

TEST(RequestPatch, LetsALaterPlainValueReplaceAnEncryptedOneAndTheOtherWayRound) {
    const auto file = "environments:\n  tmt: {environment: {A: plain, B: " + cipher + "}}\n" +
                      "environment:\n  e: {tmt: {environment: {A: " + other_cipher + ", B: plain}}}\n";
    EXPECT_EQ(patched(file, R"({"environments": [{"name": "e"}]})")["environments"][0]["tmt"]["environment"],
              (Json{{"A", other_cipher}, {"B", "plain"}}));
}

TEST(RequestPatch, NeverWritesPlainTextThatShouldBeEncrypted) {
    const auto file = file_of("environments: {secrets: {A: plain}}\n");
    const auto result = patch_request(Json::parse(R"({"environments": [{}]})"), file, std::nullopt, keep_encrypted);
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message(), testing::Not(HasSubstr("plain")));
}

TEST(RequestPatch, RefusesAHostileRequest) {
    const auto file = file_of("environments: {variables: {A: a}}\n");
    for (const auto* request : {"[]", R"({"environments": {}})", R"({"environments": [1]})",
                                R"({"environments": [{"name": 1}]})", R"({"environments": [{"tmt": []}]})"}) {
        EXPECT_FALSE(patch_request(Json::parse(request), file, std::nullopt, keep_encrypted)) << request;
    }
}

}  // namespace
}  // namespace trebuchet
