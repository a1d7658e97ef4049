#include "common/template/template_text.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;

std::size_t count(const std::string& text) {
    const auto found = find_templates(text);
    EXPECT_TRUE(found) << text << ": " << (found ? "" : found.error().message());
    return found ? found->size() : 0;
}

std::string problem(const std::string& text) {
    const auto found = find_templates(text);
    return found ? "" : found.error().message();
}

TEST(TemplateText, LeavesWhatIsNotOursAlone) {
    for (const auto* text :
         {"docker ps --format '{{.Names}}'", "${{ github.ref }}", "{{ inputs.x }}", "{{ it's }} and {{ that's }}", "{{",
          "}} {{", "{{ my_secret('A') }}", "{{ .Values.secret (x) }}", "{# secret('A') #}", "{{ 'text' }}",
          "${#x} {% if a %}{% endif %}", "awk '{{print}}'", "{{ docker_envs.x }}"}) {
        EXPECT_EQ(count(text), 0U) << text;
    }
}

TEST(TemplateText, FindsOursBesideOthers) {
    EXPECT_EQ(count("{{.Names}} {{ secret('A') }} {{ it's }} {{ secret('B') ~ '}}' }}"), 2U);
    EXPECT_EQ(count("${#x} {{ secret('A') }} #}"), 1U);
    EXPECT_EQ(count("{{secret('A')}}{{secret('A')}}"), 2U);
}

TEST(TemplateText, TakesWhiteSpaceAwayWhereItIsAsked) {
    const std::string text = "a \n{{- secret('A') -}}\n b";
    const auto found = find_templates(text);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->front().begin, 1U);
    EXPECT_EQ(text.substr(found->front().end), "b");
}

TEST(TemplateText, SaysWhereSomethingIsWrong) {
    EXPECT_THAT(problem("a\n b {{ secret(A) }}"), HasSubstr("line 2, column 14: found \"A\" without quotes"));
    EXPECT_THAT(problem("{{ secret('A') "), HasSubstr("line 1, column 1: found a {{ without its end"));
    EXPECT_THAT(problem("{% if x %}{{ secret('A') }}{% endif %}"), HasSubstr("tags are not supported"));
    EXPECT_THAT(problem("{% set x = secret('A') %}"), HasSubstr("not supported"));
    EXPECT_THAT(problem("{{ 'secret(1)' }}"), HasSubstr("line 1"));
}

TEST(TemplateText, IsBounded) {
    std::string many;
    for (int i = 0; i < 1001; ++i) many += "{{ envs.a }}";
    EXPECT_THAT(problem(many), HasSubstr("more than 1000 templates"));
    std::string open;
    for (int i = 0; i < 50'000; ++i) open += "{{'";
    EXPECT_THAT(problem(open), HasSubstr("expected fewer"));
    std::string comments;
    for (int i = 0; i < 50'000; ++i) comments += "{#{%";
    EXPECT_EQ(count(comments), 0U);
}

TEST(TemplateText, LooksForTheEndOfATagInEachByteOnce) {
    std::string tags = "{{ secret('A') }}";
    for (int i = 0; i < 500'000; ++i) tags += "{%";
    for (const auto* end : {"", "%}"}) {
        std::size_t looked_at = 0;
        const auto text = tags + end;
        EXPECT_EQ(find_templates(text, &looked_at)->size(), 1U);
        EXPECT_GT(looked_at, 0U);
        EXPECT_LE(looked_at, text.size());
    }
}

TEST(TemplateText, NamesTheSecretsThatAreRead) {
    const auto found = find_templates("{{ secret('A') ~ (secret(key='B') | upper) ~ envs.c }}");
    ASSERT_TRUE(found);
    std::set<std::string> names;
    collect_secret_names(found->front().expression, names);
    EXPECT_THAT(names, testing::ElementsAre("A", "B"));
}

}  // namespace
}  // namespace trebuchet
