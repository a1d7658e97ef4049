#include "common/base/text.hpp"

#include <string>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

constexpr const char* replacement = "\xEF\xBF\xBD";

std::string replaced(int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += replacement;
    return text;
}

TEST(IncompleteUtf8Tail, CountsTheBytesOfAnIncompleteCharacter) {
    EXPECT_EQ(incomplete_utf8_tail("a\xC3"), 1U);
    EXPECT_EQ(incomplete_utf8_tail("a\xE2\x82"), 2U);
    EXPECT_EQ(incomplete_utf8_tail("a\xF0\x9F\x98"), 3U);
    EXPECT_EQ(incomplete_utf8_tail("\xF0"), 1U);
}

TEST(IncompleteUtf8Tail, IsZeroAfterCompleteCharacters) {
    EXPECT_EQ(incomplete_utf8_tail(""), 0U);
    EXPECT_EQ(incomplete_utf8_tail("abc"), 0U);
    EXPECT_EQ(incomplete_utf8_tail("\xC3\xA4"), 0U);
    EXPECT_EQ(incomplete_utf8_tail("\xF0\x9F\x98\x80"), 0U);
}

TEST(IncompleteUtf8Tail, IsZeroForInvalidBytes) {
    EXPECT_EQ(incomplete_utf8_tail("\x80"), 0U);
    EXPECT_EQ(incomplete_utf8_tail("\xFF"), 0U);
    EXPECT_EQ(incomplete_utf8_tail("\xC0"), 0U);
    EXPECT_EQ(incomplete_utf8_tail("\xE0\x80"), 0U) << "overlong";
    EXPECT_EQ(incomplete_utf8_tail("\xED\xA0"), 0U) << "a surrogate";
    EXPECT_EQ(incomplete_utf8_tail("\xF4\x90"), 0U) << "beyond U+10FFFF";
    EXPECT_EQ(incomplete_utf8_tail("\xC3\xA4\x82\x82\x82"), 0U);
}

TEST(ToValidUtf8, LeavesValidTextAlone) {
    const std::string text = "plain ä € 😀 \xF4\x8F\xBF\xBF\n";
    EXPECT_EQ(to_valid_utf8(text), text);
    EXPECT_EQ(to_valid_utf8(""), "");
}

TEST(ToValidUtf8, ReplacesEachInvalidByteOrIncompleteCharacterOnce) {
    EXPECT_EQ(to_valid_utf8("a\xFF\xFE"
                            "b"),
              "a" + replaced(2) + "b");
    EXPECT_EQ(to_valid_utf8("\xE2\x82"), replaced(1));
    EXPECT_EQ(to_valid_utf8("\xE2\x82z"), replaced(1) + "z");
    EXPECT_EQ(to_valid_utf8("\x80\x80"), replaced(2));
    EXPECT_EQ(to_valid_utf8("\xC0\xAF"), replaced(2)) << "an overlong slash";
    EXPECT_EQ(to_valid_utf8("\xED\xA0\x80"), replaced(3)) << "a surrogate";
    EXPECT_EQ(to_valid_utf8("\xC3\xC3\xA4"), replaced(1) + "\xC3\xA4");
}

TEST(DidYouMean, FindsATypo) {
    const std::vector<std::string> keys{"agent_id", "server_address", "polling_interval"};
    EXPECT_EQ(did_you_mean("agent-id", keys), "agent_id");
    EXPECT_EQ(did_you_mean("server_adress", keys), "server_address");
    EXPECT_EQ(did_you_mean("poling_intervall", keys), "polling_interval");
}

TEST(DidYouMean, FindsNothingFarAway) {
    EXPECT_EQ(did_you_mean("completely different", {"agent_id", "server_address"}), "");
    EXPECT_EQ(did_you_mean("x", {}), "");
    EXPECT_EQ(did_you_mean("abc", {"xyz"}), "");
}

TEST(Quoted, EscapesControlCharacters) {
    EXPECT_EQ(quoted("plain"), "\"plain\"");
    EXPECT_EQ(quoted("a\"b\\c"), R"("a\"b\\c")");
    EXPECT_EQ(quoted("\x1B[31m\n\x7F"), R"("\x1b[31m\x0a\x7f")");
    EXPECT_EQ(quoted("ä"), "\"ä\"");
}

TEST(Quoted, CutsLongTextBetweenCharacters) {
    EXPECT_EQ(quoted("abcdef", 3), "\"abc\"…");
    EXPECT_EQ(quoted("abc", 3), "\"abc\"");
    EXPECT_EQ(quoted("abä", 3), "\"ab\"…");
}

}  // namespace
}  // namespace trebuchet
