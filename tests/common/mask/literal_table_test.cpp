#include "common/mask/literal_table.hpp"

#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

LiteralTable table_of(const std::vector<std::string>& values) {
    std::vector<Literal> literals;
    literals.reserve(values.size());
    for (const auto& value : values) literals.push_back({SecretString(value), 0});
    return LiteralTable(std::move(literals));
}

/// The longest literal that ends `text`, whatever its anchor.
std::string longest_at_end(const LiteralTable& table, std::string_view text) {
    std::string longest;
    const auto anchors = table.anchors();
    for (std::uint32_t anchor = 0; anchor < anchors.size(); ++anchor) {
        if (!text.ends_with(anchors[anchor])) continue;
        const auto literal = table.longest_at_end(text, anchor);
        if (literal != LiteralTable::none && table.bytes(literal).size() > longest.size()) {
            longest = table.bytes(literal);
        }
    }
    return longest;
}

TEST(LiteralTable, KeepsTheFirstOfEqualLiterals) {
    std::vector<Literal> literals;
    literals.push_back({SecretString("same"), 1});
    literals.push_back({SecretString("same"), 2});
    const LiteralTable table(std::move(literals));
    ASSERT_EQ(table.size(), 1U);
    EXPECT_EQ(table.literal(0).value, 1U);
}

TEST(LiteralTable, ReturnsDistinctAnchors) {
    const std::string end(LiteralTable::anchor_size, 'z');
    EXPECT_THAT(table_of({"short", "a" + end, "b" + end, end}).anchors(), testing::UnorderedElementsAre("short", end));
}

/// Vectorscan takes no other ones.
TEST(LiteralTable, BeginsNoAnchorWithNul) {
    const std::string nul(1, '\0');
    const std::vector<std::string> values{nul + "ab", "x" + nul + "ab", "ab",
                                          nul + "1" + nul + "2" + nul + "3" + nul + "4"};
    const auto table = table_of(values);
    for (const auto anchor : table.anchors()) EXPECT_NE(anchor.front(), '\0');
    for (const auto& value : values) EXPECT_EQ(longest_at_end(table, "zz" + value), value);
    EXPECT_EQ(longest_at_end(table, "zab"), "ab");
}

TEST(LiteralTable, FindsTheLongestOfManyWithTheSameEnd) {
    const std::string end(LiteralTable::anchor_size, 'z');
    const auto table = table_of({end, "b" + end, "ab" + end, "cab" + end, "xb" + end, "zzz" + end});
    EXPECT_EQ(longest_at_end(table, "cab" + end), "cab" + end);
    EXPECT_EQ(longest_at_end(table, "dab" + end), "ab" + end);
    EXPECT_EQ(longest_at_end(table, "ab" + end), "ab" + end);
    EXPECT_EQ(longest_at_end(table, "bb" + end), "b" + end);
    EXPECT_EQ(longest_at_end(table, "zz" + end), end);
    EXPECT_EQ(longest_at_end(table, "zzzz" + end), "zzz" + end);
    EXPECT_EQ(longest_at_end(table, end), end);
    EXPECT_EQ(longest_at_end(table, end.substr(1)), "");
}

TEST(LiteralTable, FindsNoPartialLiteral) {
    const std::string end(LiteralTable::anchor_size, 'z');
    const auto table = table_of({"head" + end});
    EXPECT_EQ(longest_at_end(table, "head" + end), "head" + end);
    EXPECT_EQ(longest_at_end(table, "Head" + end), "");
    EXPECT_EQ(longest_at_end(table, "ead" + end), "");
}

TEST(LiteralTable, ReturnsDistinctHeads) {
    const std::string head(LiteralTable::head_size, 'h');
    const std::string more(LiteralTable::long_size, 'm');
    EXPECT_THAT(table_of({head + more, head + more + "x", "other" + more, head}).heads(),
                testing::UnorderedElementsAre(head, ("other" + more).substr(0, LiteralTable::head_size)));
    EXPECT_THAT(table_of({"short", more}).heads(), testing::IsEmpty());
}

TEST(LiteralTable, KnowsProperPrefixes) {
    const auto table = table_of({"secret", "secretsauce", "tea"});
    for (const auto* open : {"s", "secre", "secret", "secretsauc", "te"}) EXPECT_TRUE(table.is_open(open)) << open;
    for (const auto* closed : {"secretsauce", "secretsaucer", "tea", "ea", "x"}) {
        EXPECT_FALSE(table.is_open(closed)) << closed;
    }
}

TEST(LiteralTable, FindsTheFirstOpenPosition) {
    const auto table = table_of({"secret", "secretsauce", "tea"});
    const auto first_open = [&table](std::string_view text) { return table.first_open(text, 0, text.size()); };
    EXPECT_EQ(first_open("nothing"), 7U);
    EXPECT_EQ(first_open("a secre"), 2U);
    EXPECT_EQ(first_open("a secret"), 2U);
    EXPECT_EQ(first_open("tea"), 3U);
    EXPECT_EQ(first_open("a te"), 2U);
    EXPECT_EQ(first_open("s sec"), 2U);
    EXPECT_EQ(first_open(""), 0U);
    EXPECT_EQ(table.first_open("a secret", 3, 8), 7U) << "the t of tea";
    EXPECT_EQ(table.first_open("a secret", 3, 7), 7U) << "none";
    EXPECT_EQ(table_of({}).first_open("text", 0, 4), 4U);
}

TEST(LiteralTable, FindsTheSamePositionWithAKnownPrefix) {
    std::mt19937 engine(1);
    const auto drawn = [&engine](std::size_t least, std::size_t most) { return least + engine() % (most - least + 1); };
    const auto text_of = [&drawn](std::size_t size) {
        std::string text;
        while (text.size() < size) text += drawn(0, 4) == 0 ? 'b' : 'a';
        return text;
    };
    for (int round = 0; round < 20000; ++round) {
        std::vector<std::string> values(drawn(1, 5));
        for (auto& value : values) value = text_of(drawn(2, 12));
        const auto table = table_of(values);
        LiteralPrefix prefix;
        prefix.literal = static_cast<std::uint32_t>(drawn(0, table.size() - 1));
        const auto literal = table.bytes(prefix.literal);
        prefix.known = drawn(1, literal.size() - 1);
        for (int write = 0; write < 3; ++write) {
            const auto text = std::string(literal.substr(0, prefix.known)) + text_of(drawn(0, 6));
            const auto least = drawn(0, 1) * 4;
            ASSERT_EQ(table.first_open(text, 0, text.size(), least, nullptr, &prefix),
                      table.first_open(text, 0, text.size(), least))
                << text;
        }
    }
}

}  // namespace
}  // namespace trebuchet
