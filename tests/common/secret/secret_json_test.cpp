#include "common/secret/secret_json.hpp"

#include <string>
#include <string_view>
#include <type_traits>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

static_assert(std::is_same_v<SecretJson::string_t, WipedString>);

TEST(SecretJson, ParsesIntoWipedStrings) {
    const auto json = SecretJson::parse(std::string_view(R"({"name": "val\u00fce", "list": [1, true, null]})"));
    EXPECT_EQ(json.at("name").get_ref<const WipedString&>(), "valüe");
    EXPECT_EQ(json.at("list").size(), 3U);
}

TEST(SecretJson, WritesIntoAWipedString) {
    const SecretJson json{{"name", "value"}};
    const WipedString text = json.dump();
    EXPECT_EQ(text, R"({"name":"value"})");
}

std::string problem_of(const std::string& text) {
    const auto parsed = parse_secret_json(text, "job");
    return parsed ? "" : parsed.error().message();
}

TEST(SecretJson, ReportsThePositionOfAnErrorAndQuotesNothing) {
    EXPECT_EQ(problem_of(""), "job:1:1: this is not JSON");
    EXPECT_EQ(problem_of("{\"a\":\n s3cret}"), "job:2:2: this is not JSON");
    EXPECT_EQ(problem_of("{\"a\": \"s3cret\xFF\"}"), "job:1:14: this is not JSON");
    EXPECT_EQ(problem_of(std::string("{}\0", 3)), "job: this is not JSON: it holds a NUL byte");
    EXPECT_EQ(problem_of("1e999"), "job: cannot be read as JSON: error 406");
}

TEST(SecretJson, RefusesDeepNesting) {
    EXPECT_EQ(problem_of(std::string(99, '[') + std::string(99, ']')), "");
    EXPECT_EQ(problem_of(std::string(102, '[') + std::string(102, ']')), "job: is nested more than 100 levels deep");
    EXPECT_EQ(problem_of(std::string(1'000'000, '[')), "job: is nested more than 100 levels deep");
}

}  // namespace
}  // namespace trebuchet
