#include "common/template/evaluate.hpp"
#include "common/template/letter_case.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;

class Values final : public TemplateValues {
  public:
    [[nodiscard]] Result<WipedString> secret(const std::string& name) const override {
        if (name == "TOKEN") return WipedString("t0k");
        if (name == "BLANK") return WipedString(" \n");
        if (name == "LIST") return WipedString("[1]");
        return fail("there is no secret " + name);
    }
    [[nodiscard]] std::optional<WipedString> env(const std::string& name) const override {
        return name == "board" ? std::optional<WipedString>("rpi4") : std::nullopt;
    }
};

std::string value_of(const std::string& text) {
    const auto expression = parse_expression(text);
    if (!expression) return std::to_string(expression.error().at) + ": " + expression.error().text;
    const auto result = evaluate(*expression, Values());
    return result ? std::string(std::string_view(result->value)) : "error: " + result.error().message();
}

TEST(Expression, BindsAsInKestra) {
    EXPECT_EQ(value_of("'a' ~ secret('TOKEN') | upper"), "AT0K");
    EXPECT_EQ(value_of("'a' ~ (secret('TOKEN') | upper)"), "aT0K");
    EXPECT_EQ(value_of("'a' ~ envs.nope ?? 'b'"), "ab");
    EXPECT_EQ(value_of("envs.nope ?? envs.board ?? 'c'"), "rpi4");
    EXPECT_EQ(value_of("null ~ 'a' ~ 12"), "a12");
    EXPECT_EQ(value_of("null ?? 'a'"), "a");
    EXPECT_EQ(value_of("secret('TOKEN') | base64encode | lower"), "ddbr");
}

TEST(Expression, TakesADefaultForWhatIsEmptyOrMissing) {
    EXPECT_EQ(value_of("envs.nope | default('d')"), "d");
    EXPECT_EQ(value_of("secret('BLANK') | default('d')"), "d");
    EXPECT_EQ(value_of("secret('TOKEN') | default('d')"), "t0k");
    EXPECT_THAT(value_of("secret('NOPE') | default('d')"), HasSubstr("error: there is no secret NOPE"));
    EXPECT_THAT(value_of("envs.nope"), HasSubstr("error"));
}

TEST(Expression, ReadsTextsAsTheyAre) {
    EXPECT_EQ(value_of(R"('a\'b\n\\ ')"), R"(a'b\n\\ )");
    EXPECT_EQ(value_of(R"("a'b\"c")"), R"(a'b"c)");
    EXPECT_EQ(value_of("'grün' | upper"), "GRÜN");
    EXPECT_EQ(value_of("'straße' | upper"), "STRASSE");
    EXPECT_EQ(value_of("'ÄΣ\xff' | lower"), "äσ\xff");
}

TEST(Expression, SaysWhatToWriteInstead) {
    EXPECT_THAT(value_of("secret(TOKEN)"), HasSubstr("7: found \"TOKEN\" without quotes"));
    EXPECT_THAT(value_of("secret('SECRET_TOKEN')"), HasSubstr("leave SECRET_ out"));
    EXPECT_THAT(value_of("secret('TOKEN', namespace='n')"), HasSubstr("no namespaces"));
    EXPECT_THAT(value_of("secret('A' ~ 'B')"), HasSubstr("names cannot be put together"));
    EXPECT_THAT(value_of("envs.my-env"), HasSubstr("envs['my-…']"));
    EXPECT_THAT(value_of("\"a#{b}\""), HasSubstr("single quotes"));
    EXPECT_THAT(value_of("secret('TOKEN') | sha256"), HasSubstr("the filter \"sha256\""));
    EXPECT_THAT(value_of("secret('LIST', subkey='a')"), HasSubstr("not a JSON object"));
    for (const auto* text : {"", "secret()", "secret('')", "secret('A','B')", "secret('A'", "envs.", "envs[a]",
                             "envs.a.b", "'a' 'b'", "1.5", "a", "'a' ~", "| upper", "(1", "1)", "secret", "envs"}) {
        EXPECT_FALSE(parse_expression(text)) << text;
    }
}

TEST(Expression, IsBounded) {
    EXPECT_FALSE(parse_expression(std::string(100, '(') + "1" + std::string(100, ')')));
    EXPECT_FALSE(parse_expression(std::string(100'000, '(')));
    std::string chain = "1";
    for (int i = 0; i < 60; ++i) chain += "~1";
    EXPECT_FALSE(parse_expression(chain));
}

}  // namespace
}  // namespace trebuchet
