#include "tests/fakes/temporary_folder.hpp"
#include "tests/integration/harness/child_program.hpp"

#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace trebuchet::harness {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// Runs `trebuchet-agent mask --secrets FILE [--read-size N]`.
class Mask : public ::testing::Test {
  protected:
    [[nodiscard]] Ending mask(const std::vector<std::string>& values, const std::string& input,
                              const std::string& read_size) const {
        nlohmann::json secrets = nlohmann::json::object();
        for (const auto& value : values) secrets["SECRET_" + std::to_string(secrets.size())] = value;
        folder.write("secrets.json", secrets.dump());
        return run({TREBUCHET_AGENT,
                    {"mask", "--secrets", folder / "secrets.json", "--read-size", read_size},
                    {},
                    "/",
                    input});
    }

    [[nodiscard]] std::string shown(const std::vector<std::string>& values, const std::string& input,
                                    const std::string& read_size) const {
        const auto ending = mask(values, input, read_size);
        EXPECT_EQ(ending.code, 0) << ending.err;
        static const std::regex any_mask(R"(\*\*[0-9a-f]{6}\*\*)");
        return std::regex_replace(ending.out, any_mask, "M");
    }

    /// The masked output with "M" for each mask. Expects the same output for every read size.
    [[nodiscard]] std::string masked(const std::vector<std::string>& values, const std::string& input) const {
        auto whole = shown(values, input, "65536");
        for (const auto* size : {"1", "2", "3", "7"}) EXPECT_EQ(shown(values, input, size), whole) << size;
        return whole;
    }

    TemporaryFolder folder;
};

TEST_F(Mask, PassesEverythingWithoutValues) {
    EXPECT_EQ(masked({}, "a secret\n"), "a secret\n");
    EXPECT_EQ(masked({""}, "a secret\n"), "a secret\n");
    EXPECT_EQ(masked({"secret"}, ""), "");
}

TEST_F(Mask, FindsAValueRightAfterItsOwnBeginning) {
    EXPECT_EQ(masked({"secrets"}, "ssecrets"), "sM");
    EXPECT_THAT(masked({"secrets"}, "secretssecrets"), ::testing::AnyOf("MM", "M"));
    EXPECT_EQ(masked({"aab"}, "aaab"), "aM");
}

TEST_F(Mask, FindsSeveralValues) {
    EXPECT_EQ(masked({"foo", "bar"}, "xfoox ybary ffoo bar"), "xMx yMy fM M");
}

TEST_F(Mask, LeavesNoTailOfALongerValueBehind) {
    EXPECT_EQ(masked({"token", "token-long"}, "a token-long b token c"), "a M b M c");
    EXPECT_EQ(masked({"long", "token-long"}, "a token-long b long c"), "a M b M c");
}

TEST_F(Mask, MergesOverlaps) {
    EXPECT_EQ(masked({"ipsum dolor", "dolor sit"}, "Lorem ipsum dolor sit amet"), "Lorem M amet");
    EXPECT_EQ(masked({"aaa"}, "xaaaaax"), "xMx");
}

TEST_F(Mask, FindsAValueInsideALongNearMiss) {
    EXPECT_EQ(masked({"abcdefgh", "cde"}, "abcdefgX"), "abMfgX");
}

TEST_F(Mask, PassesAnUnfinishedValueAtTheEnd) {
    EXPECT_EQ(masked({"secret"}, "secre"), "secre");
}

TEST_F(Mask, TakesValuesLiterally) {
    EXPECT_EQ(masked({"a.c"}, "abc a.c"), "abc M");
    EXPECT_EQ(masked({"Secret"}, "secret Secret"), "secret M");
    EXPECT_EQ(masked({"x[(*+?\\d{2"}, "x[(*+?\\d{2!"), "M!");
}

TEST_F(Mask, TakesVeryLongValues) {
    std::string value;
    while (value.size() < 20'000) value += std::to_string(value.size()) + ",";
    const auto near_miss = value.substr(0, value.size() - 1) + "!";
    const auto ending = mask({value}, "<" + value + ">" + near_miss, "1000");

    EXPECT_EQ(ending.out.size(), 1 + 10 + 1 + near_miss.size());
    EXPECT_THAT(ending.out, ::testing::EndsWith("**>" + near_miss));
}

TEST_F(Mask, PassesBytesThatAreNotUtf8) {
    EXPECT_EQ(masked({"secret"}, "\xff\xfesecret\xc3\x28\xc3"), "\xff\xfeM\xc3\x28\xc3");
    EXPECT_EQ(masked({"gehe\xc3\xafm"}, "x gehe\xc3\xafm y"), "x M y");
}

TEST_F(Mask, NamesTheValuesThatAreTooShortOnce) {
    const auto ending = mask({"ab", "long enough"}, "ab ab long enough\n", "1");

    EXPECT_THAT(ending.out, HasSubstr("ab ab **"));
    EXPECT_THAT(ending.err, HasSubstr("SECRET_0"));
    EXPECT_THAT(ending.err, Not(HasSubstr("SECRET_1")));
    EXPECT_THAT(ending.err, Not(HasSubstr("ab ")));
}

TEST_F(Mask, ShowsEqualValuesAsEqualWithinOneRunOnly) {
    const auto first = mask({"secret", "another"}, "secret another secret", "64").out;
    EXPECT_EQ(first.substr(0, 10), first.substr(first.size() - 10));
    EXPECT_NE(first.substr(0, 10), first.substr(11, 10));
    EXPECT_NE(first, mask({"secret", "another"}, "secret another secret", "64").out) << "each run has its own key";
}

TEST_F(Mask, SaysOnRequestWhichFormsAreMaskedAndWhichValuesAreWeak) {
    folder.write("secrets.json", R"({"TOKEN": "Zk3vQ9rT7mXw2LpB", "PIN": "x9$", "PASS": "changeme", "NONE": ""})");
    const auto ending = run({TREBUCHET_AGENT, {"mask", "--check", "--secrets", folder / "secrets.json"}, {}, "/", ""});

    EXPECT_EQ(ending.code, 0) << ending.err;
    EXPECT_THAT(ending.out, HasSubstr("\"TOKEN\": masked: as it is, UTF-16, base64, hex"));
    EXPECT_THAT(ending.out, Not(HasSubstr("\"TOKEN\": weak")));
    EXPECT_THAT(ending.out, HasSubstr("\"PIN\": not masked, too short: hex"));
    EXPECT_THAT(ending.out, HasSubstr("\"PIN\": weak: short"));
    EXPECT_THAT(ending.out, HasSubstr("\"PASS\": weak: a common word"));
    EXPECT_THAT(ending.out, HasSubstr("\"NONE\": empty"));
    for (const auto* value : {"Zk3v", "x9$", "changeme"}) EXPECT_THAT(ending.out + ending.err, Not(HasSubstr(value)));
}

TEST_F(Mask, HidesWellKnownCredentialsAsTheDaemonDoes) {
    const std::string token = "ghp_0123456789abcdefghijABCDEFGHIJ012345";
    const std::string url = "https://user:hunter22@example.org/";
    EXPECT_EQ(masked({}, token + " " + url + "\n"), "ghp_M https://user:M@example.org/\n");

    folder.write("secrets.json", "{}");
    const std::vector<std::string> off{"mask", "--secrets", folder / "secrets.json", "--credentials-off", "jwt,github"};
    const auto ending = run({TREBUCHET_AGENT, off, {}, "/", token + " " + url + "\n"});
    EXPECT_EQ(ending.code, 0) << ending.err;
    EXPECT_THAT(ending.out, ::testing::StartsWith(token + " https://user:**"));
}

TEST_F(Mask, SaysOnRequestWhichWellKnownCredentialsAreMasked) {
    folder.write("secrets.json", "{}");
    const auto check = [this](const std::string& off) {
        return run({TREBUCHET_AGENT,
                    {"mask", "--check", "--secrets", folder / "secrets.json", "--credentials-off", off},
                    {},
                    "/",
                    ""});
    };
    EXPECT_EQ(check("jwt,github").out,
              "well-known credentials: masked: private_key, url_password, authorization, aws, gitlab, slack, vault, "
              "registry, cloud, ai, payment, monitoring\n"
              "well-known credentials: not masked, off: github, jwt\n");
    const auto wrong = check("gitbuh");
    EXPECT_EQ(wrong.code, 2);
    EXPECT_EQ(wrong.out, "");
    EXPECT_THAT(wrong.err, HasSubstr("unknown kind of credential \"gitbuh\""));
    EXPECT_THAT(wrong.err, HasSubstr("did you mean"));
}

TEST_F(Mask, HidesFormsThatOtherProgramsPrint) {
    EXPECT_EQ(masked({"p@ss 'w/rd"}, "p%40ss%20%27w%2Frd p@ss '\\''w/rd 70407373202777/2f7264 cEBzcyAndy9yZA==\n"),
              "M M 70407373202777/2f7264 M\n");
}

TEST_F(Mask, RefusesASecretsFileThatIsWrongWithoutQuotingIt) {
    for (const auto* wrong :
         {"", "hush-hush", "[\"hush-hush\"]", "{\"NAME\": \"hush-hush\"", "{\"NAME\": {\"a\": \"hush-hush\"}}"}) {
        folder.write("wrong.json", wrong);
        const auto ending = run({TREBUCHET_AGENT, {"mask", "--secrets", folder / "wrong.json"}, {}, "/", "text"});
        EXPECT_EQ(ending.code, 2) << wrong;
        EXPECT_EQ(ending.out, "");
        EXPECT_THAT(ending.err, HasSubstr("wrong.json"));
        EXPECT_THAT(ending.err, Not(HasSubstr("hush")));
    }
}

}  // namespace
}  // namespace trebuchet::harness
