#include "common/yaml/yaml.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

YamlNode parsed(std::string_view text) {
    auto document = parse_yaml(text);
    if (!document) {
        ADD_FAILURE() << document.error().message("f");
        return {};
    }
    return std::move(document->root);
}

/// The problem's message, or "" if there is none.
std::string problem_of(std::string_view text, const YamlLimits& limits = {}) {
    const auto document = parse_yaml(text, limits);
    return document ? "" : document.error().message("f");
}

template <typename T>
std::string message_of(const YamlResult<T>& result) {
    return result ? "" : result.error().message("f");
}

std::string at(const YamlPosition& position) {
    return std::to_string(position.line) + ":" + std::to_string(position.column);
}

std::vector<std::string> keys(const YamlNode& map) {
    std::vector<std::string> names;
    for (const auto& entry : map.entries) names.push_back(entry.key);
    return names;
}

TEST(Yaml, KeepsTheOrderAndThePositions) {
    const auto root = parsed("b: 1\na:\n  - x\n  -   y\n\"q\": {k: v}\n");
    ASSERT_EQ(root.kind, YamlKind::map);
    EXPECT_THAT(keys(root), ElementsAre("b", "a", "q"));
    EXPECT_EQ(at(root.entries[1].key_at), "2:1");
    const auto& list = root.entries[1].value;
    ASSERT_EQ(list.kind, YamlKind::sequence);
    EXPECT_EQ(at(list.items[1].at), "4:7");
    EXPECT_EQ(list.items[1].text, "y");
    ASSERT_NE(root.find("q"), nullptr);
    EXPECT_EQ(at(root.find("q")->find("k")->at), "5:10");
    EXPECT_EQ(root.find("nothing"), nullptr);
    EXPECT_EQ(list.find("x"), nullptr);
}

TEST(Yaml, AnEmptyTextHasANullRoot) {
    for (const char* text : {"", "\n", "# nothing here\n", "---\n", "~", "null", "\xEF\xBB\xBF"}) {
        EXPECT_EQ(parsed(text).kind, YamlKind::null) << text;
    }
}

TEST(Yaml, DistinguishesQuotedFromPlainScalars) {
    const auto list = parsed("- yes\n- 'yes'\n- \"yes\"\n- !!str yes\n- |-\n  yes\n");
    ASSERT_EQ(list.items.size(), 5U);
    EXPECT_FALSE(list.items[0].was_quoted);
    EXPECT_EQ(list.items[0].type(), YamlType::boolean);
    for (std::size_t i = 1; i < 5; ++i) {
        EXPECT_TRUE(list.items[i].was_quoted) << i;
        EXPECT_EQ(list.items[i].type(), YamlType::string) << i;
        EXPECT_EQ(list.items[i].text, "yes") << i;
    }
}

TEST(Yaml, ExpandsAliases) {
    const auto root = parsed("a: &x {k: 1}\nb: *x\nc: [*x, &n name]\n*n : 2\n");
    EXPECT_THAT(keys(root), ElementsAre("a", "b", "c", "name"));
    EXPECT_EQ(root.find("b")->find("k")->text, "1");
    EXPECT_EQ(root.find("c")->items[0].find("k")->text, "1");
}

TEST(Yaml, ExpandsMergeKeysAndOwnKeysWin) {
    const auto root = parsed(
        "one: &one {a: 1, b: 1}\n"
        "two: &two {b: 2, c: 2}\n"
        "both:\n  c: own\n  <<: [*one, *two]\n"
        "quoted: {\"<<\": x}\n");
    const auto* both = root.find("both");
    EXPECT_EQ(both->find("a")->text, "1");
    EXPECT_EQ(both->find("b")->text, "1");
    EXPECT_EQ(both->find("c")->text, "own");
    EXPECT_EQ(both->entries.size(), 3U);
    EXPECT_EQ(root.find("quoted")->find("<<")->text, "x");
    EXPECT_EQ(problem_of("<<: 5\n"),
              "f:1:5: found the number 5 after the merge key <<, expected a map or a list of maps");
}

TEST(Yaml, TheLastOfDuplicateKeysCountsWithAWarning) {
    const auto document = parse_yaml("a: 1\nb: 2\na: 3\n");
    ASSERT_TRUE(document);
    EXPECT_EQ(document->root.find("a")->text, "3");
    EXPECT_EQ(document->root.entries.size(), 2U);
    ASSERT_EQ(document->warnings.size(), 1U);
    EXPECT_EQ(document->warnings[0].message("f"),
              "f:3:1: found the key \"a\" a second time (first in line 1), expected it once; the last one counts");
}

TEST(Yaml, RefusesAliasBombs) {
    std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 10; ++i) {
        const auto before = "*a" + std::to_string(i - 1);
        bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
        for (int j = 0; j < 8; ++j) bomb += ", " + before;
        bomb += "]\n";
    }
    EXPECT_THAT(
        problem_of(bomb),
        HasSubstr("found more than is accepted (100000 values, with every alias counted as often as it is used)"));
}

TEST(Yaml, RefusesAliasesOfOneLongTextThatAddUp) {
    std::string text = "- &a \"" + std::string(100'000, 'x') + "\"\n";
    for (int i = 0; i < 1'000; ++i) text += "- *a\n";
    EXPECT_THAT(problem_of(text), HasSubstr("found more than is accepted"));
}

TEST(Yaml, RefusesARecursiveAlias) {
    EXPECT_EQ(problem_of("&a [1, *a]\n"), "f:1:8: found an alias inside the node that it refers to");
    EXPECT_THAT(problem_of("a: *nobody\n"), HasSubstr("f:1:4: this is not valid YAML: "));
}

TEST(Yaml, BoundsDepthEvenThroughAliases) {
    const YamlLimits limits{.bytes = 1000, .depth = 3, .nodes = 100};
    EXPECT_EQ(problem_of("[[[1]]]", limits), "");
    EXPECT_EQ(problem_of("[[[[1]]]]", limits), "f:1:4: found more than 3 levels of nesting");
    EXPECT_EQ(problem_of("- &a [[]]\n- [*a]\n", limits), "f:2:4: found more than 3 levels of nesting");
    EXPECT_THAT(problem_of(std::string(100'000, '[')), HasSubstr("found more than 100 levels of nesting"));
    EXPECT_THAT(problem_of(std::string(100'000, '{')), HasSubstr("found more than 100 levels of nesting"));
}

TEST(Yaml, BoundsSize) {
    const YamlLimits limits{.bytes = 10, .depth = 3, .nodes = 100};
    EXPECT_EQ(problem_of("0123456789", limits), "");
    EXPECT_EQ(problem_of("01234567890", limits), "f: found 11 bytes, expected at most 10");
}

TEST(Yaml, ReportsInvalidUtf8AndControlCharactersWithPosition) {
    using std::string_view_literals::operator""sv;
    EXPECT_EQ(problem_of("a: 1\nb: \xff\n"), "f:2:4: found the byte 0xff, expected UTF-8");
    EXPECT_EQ(problem_of("a: \0\n"sv),
              "f:1:4: found the byte 0x00, a control character: write it as an escape in double quotes");
    EXPECT_EQ(problem_of("a: 1\n\x04 b: 2\n"),
              "f:2:1: found the byte 0x04, a control character: write it as an escape in double quotes");
    EXPECT_EQ(problem_of("a: \xC2\x9B\n"),
              "f:1:4: found the byte 0xc2, a control character: write it as an escape in double quotes");
    EXPECT_EQ(problem_of("\xFF\xFE"
                         "a\0"sv),
              "f:1:1: found the byte 0xff, expected UTF-8");
    EXPECT_EQ(problem_of("a: \xEF\xBF"), "f:1:4: found the byte 0xef, expected UTF-8");
    EXPECT_EQ(parsed("Zürich — 東京").text, "Zürich — 東京");
}

TEST(Yaml, RefusesASecondDocumentAndForeignTags) {
    EXPECT_EQ(problem_of("a: 1\n---\nb: 2\n"),
              "f:2:1: found the start of another document, expected the end of the text");
    EXPECT_EQ(problem_of("a: !!python/object:os.system x\n"),
              "f:1:4: found the tag \"tag:yaml.org,2002:python/object:os.system\", expected none, or one of !!str, "
              "!!int, !!float, !!bool, !!null");
    EXPECT_THAT(problem_of("a: !mine {}\n"), HasSubstr("f:1:4: found the tag \"!mine\""));
    EXPECT_EQ(parsed("!!map {a: !!seq [!!int 1]}").find("a")->items[0].type(), YamlType::integer);
}

TEST(Yaml, RefusesAListOrAMapAsAKey) {
    EXPECT_EQ(problem_of("? [1]\n: x\n"), "f:1:3: found a list as a key, expected a string");
    EXPECT_EQ(problem_of("{{a: b}: x}\n"), "f:1:2: found a map as a key, expected a string");
    EXPECT_THAT(keys(parsed("~: x\n5: y\n")), ElementsAre("null", "5"));
}

TEST(Yaml, ReportsThePositionOfASyntaxError) {
    for (const char* text : {"a: [1, 2\n", "a: \"open\n", "a: 'open\nb: 2\n\n", "a: \"", "a: b: c\n", "\tx: 1\n- y\n",
                             "a: 1\n b: 2\n", "]", "%YAML 9.1\n---\n"}) {
        EXPECT_THAT(problem_of(text), testing::ContainsRegex("^f:[0-9]+:[0-9]+: this is not valid YAML: .")) << text;
    }
}

TEST(YamlNode, AcceptsAnyScalarAsAString) {
    const auto list = parsed("[text, 123, \"\", yes, 2026-11-20, '~']");
    const auto strings = list.as_string_list();
    ASSERT_TRUE(strings);
    EXPECT_THAT(*strings, ElementsAre("text", "123", "", "yes", "2026-11-20", "~"));
}

TEST(YamlNode, ReportsWhatItFoundInsteadOfAString) {
    const auto root = parsed("a:\nb: [1]\nc: {x: y}\nd: \"a\\0b\"\ne: [x, ]\nf: [x, [y]]\n");
    EXPECT_EQ(message_of(root.find("a")->as_string()), "f:1:1: found nothing, expected a string");
    EXPECT_EQ(message_of(root.find("b")->as_string()), "f:2:4: found a list, expected a string");
    EXPECT_EQ(message_of(root.find("c")->as_string()), "f:3:4: found a map, expected a string");
    EXPECT_EQ(message_of(root.find("d")->as_string()),
              "f:4:4: found \"a\\x00b\", expected a string without a zero byte");
    EXPECT_EQ(message_of(root.find("c")->as_string_list()), "f:3:4: found a map, expected a list of strings");
    EXPECT_EQ(message_of(root.find("e")->as_string_list()), "");
    EXPECT_EQ(message_of(root.find("f")->as_string_list()), "f:6:8: found a list, expected a string");
}

TEST(YamlNode, ReadsWholeNumbersAsPyYamlDoes) {
    const auto list = parsed("[10, -3, 0x10, 1_000, 017, 0b11, 12:30, -0, 9223372036854775807, -9223372036854775808]");
    std::vector<std::int64_t> numbers;
    for (const auto& item : list.items) numbers.push_back(item.as_int().value_or(-1));
    EXPECT_THAT(numbers, ElementsAre(10, -3, 16, 1000, 15, 3, 750, 0, INT64_MAX, INT64_MIN));
    const auto wrong = parsed("[\"10\", 1.5, x, yes, ~, 9223372036854775808, 2026-11-20]");
    std::vector<std::string> messages;
    for (const auto& item : wrong.items) messages.push_back(message_of(item.as_int()));
    EXPECT_THAT(messages, ElementsAre("f:1:2: found \"10\" in quotes, expected a whole number",
                                      "f:1:8: found the number 1.5, expected a whole number",
                                      "f:1:13: found \"x\", expected a whole number",
                                      "f:1:16: found the boolean yes, expected a whole number",
                                      "f:1:21: found nothing, expected a whole number",
                                      "f:1:24: found the number 9223372036854775808, expected a whole number of at "
                                      "most 64 bits",
                                      "f:1:45: found the date 2026-11-20, expected a whole number"));
}

TEST(YamlNode, ReadsBooleansAsPyYamlDoes) {
    for (const char* text : {"yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"}) {
        EXPECT_TRUE(parsed(text).as_bool().value_or(false)) << text;
    }
    for (const char* text : {"no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"}) {
        EXPECT_FALSE(parsed(text).as_bool().value_or(true)) << text;
    }
    EXPECT_EQ(message_of(parsed("y").as_bool()), "f:1:1: found \"y\", expected true or false");
    EXPECT_EQ(message_of(parsed("'yes'").as_bool()), "f:1:1: found \"yes\" in quotes, expected true or false");
    EXPECT_EQ(message_of(parsed("1").as_bool()), "f:1:1: found the number 1, expected true or false");
}

TEST(YamlNode, ReadsSecondsWithFractions) {
    using std::chrono::milliseconds;
    EXPECT_EQ(parsed("10").as_seconds().value_or(milliseconds(-1)), milliseconds(10'000));
    EXPECT_EQ(parsed("0.25").as_seconds().value_or(milliseconds(-1)), milliseconds(250));
    EXPECT_EQ(parsed("0").as_seconds().value_or(milliseconds(-1)), milliseconds(0));
    for (const char* text : {"-1", "1.0e+10", ".inf", ".nan", "10s", "[]", "'10'"}) {
        EXPECT_THAT(message_of(parsed(text).as_seconds()),
                    HasSubstr("expected a number of seconds from 0 to 1000000000"))
            << text;
    }
}

TEST(YamlNode, CutsALongTextInAMessage) {
    const auto message = message_of(parsed(std::string(5000, '7')).as_bool());
    EXPECT_EQ(message, "f:1:1: found the number " + std::string(80, '7') + "…, expected true or false");
}

}  // namespace
}  // namespace trebuchet
