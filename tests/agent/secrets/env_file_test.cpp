#include "agent/secrets/env_file.hpp"

#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

std::map<std::string, std::string> parsed(std::string_view text) {
    std::map<std::string, std::string> values;
    const auto entries = parse_env_file(text, "x.env");
    EXPECT_TRUE(entries) << entries.error().message();
    if (!entries) return values;
    for (const auto& entry : *entries) values[entry.name] = std::string(std::string_view(entry.value));
    return values;
}

std::string problem_of(std::string_view text) {
    const auto entries = parse_env_file(text, "x.env");
    return entries ? "none" : entries.error().message();
}

std::string encoded(std::string_view text) {
    const auto entries = parse_env_file(text, "x.env");
    return entries ? std::string(std::string_view(encoded_env_file(*entries))) : entries.error().message();
}

TEST(EnvFile, HasOneVariableInALine) {
    EXPECT_THAT(parsed("A=1\nB = two words \nC=\n\n  D=x=y\n"),
                ElementsAre(Pair("A", "1"), Pair("B", "two words"), Pair("C", ""), Pair("D", "x=y")));
    EXPECT_THAT(parsed(""), IsEmpty());
}

TEST(EnvFile, NeedsNoNewlineAtItsEnd) {
    EXPECT_THAT(parsed("A=1\nB=2"), ElementsAre(Pair("A", "1"), Pair("B", "2")));
    EXPECT_THAT(parsed("B="), ElementsAre(Pair("B", "")));
}

TEST(EnvFile, MayComeFromWindows) {
    EXPECT_THAT(parsed("\xEF\xBB\xBF"
                       "A=1\r\nB='2'\r\n"),
                ElementsAre(Pair("A", "1"), Pair("B", "2")));
}

TEST(EnvFile, SkipsCommentsAndExport) {
    EXPECT_THAT(parsed("# A=1\n  # B=2\nexport C=3 # comment\nD=a#b\nE=# comment\nexported=4\n"),
                ElementsAre(Pair("C", "3"), Pair("D", "a#b"), Pair("E", ""), Pair("exported", "4")));
}

TEST(EnvFile, UnderstandsQuotes) {
    EXPECT_THAT(parsed("A='it is # \\n $x' # comment\nB=\"a\\nb\\\"c\\\\d\\$e\"\nC='two\nlines'\nD=it's\n"),
                ElementsAre(Pair("A", "it is # \\n $x"), Pair("B", "a\nb\"c\\d$e"), Pair("C", "two\nlines"),
                            Pair("D", "it's")));
}

TEST(EnvFile, TakesTheLastOfTwoValues) {
    EXPECT_THAT(parsed("A=1\nA=2\n"), ElementsAre(Pair("A", "2")));
}

TEST(EnvFile, NamesTheLineOfAMistakeAndQuotesNothing) {
    EXPECT_THAT(problem_of("A=1\nhunter2\n"),
                AllOf(HasSubstr("x.env:2: expected NAME=value"), Not(HasSubstr("hunter2"))));
    EXPECT_THAT(problem_of("A=1\n1B=hunter2\n"), AllOf(HasSubstr("x.env:2:"), Not(HasSubstr("hunter2"))));
    EXPECT_THAT(problem_of("A='hunter2\nB=1\n"), AllOf(HasSubstr("x.env:1: the quote"), Not(HasSubstr("hunter2"))));
    EXPECT_THAT(problem_of("C='1\n2'\nA='hunter2' x\n"),
                AllOf(HasSubstr("x.env:3: found more"), Not(HasSubstr("hunter2"))));
}

TEST(EnvFile, IsEncodedLineByLine) {
    EXPECT_EQ(encoded("A=foobar\n# x\nexport B='foo'"), "SECRET_A=Zm9vYmFy\nSECRET_B=Zm9v\n");
}

TEST(EnvFile, MayHaveKestrasMacro) {
    EXPECT_EQ(encoded("SECRET_X={{ \"pa\\\"ss\" | base64encode }}\nY={{'foo'|base64encode()}}"),
              "SECRET_X=cGEic3M=\nSECRET_Y=Zm9v\n");
    EXPECT_THAT(problem_of("SECRET_X={{ \"pass#{1+1}word\" | base64encode }}"), HasSubstr("single quotes"));
    EXPECT_EQ(encoded("X={{ 'pass#{1}' | base64encode }}"), "SECRET_X=cGFzcyN7MX0=\n");
    for (const auto* text : {"X={{ name }}", "X={{ 'a' }}", "X={{ 'a' | upper }}", "X={{ 'a", "X={{"}) {
        EXPECT_THAT(problem_of(text), HasSubstr("x.env:1:")) << text;
    }
}

}  // namespace
}  // namespace trebuchet
