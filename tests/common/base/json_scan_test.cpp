#include "common/base/json_scan.hpp"

#include <string>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

/// "none" if it is not found. The text comes in pieces of `piece` bytes.
std::string find(const std::string& text, std::size_t piece = 3) {
    JsonStringScan scan("id");
    for (std::size_t at = 0; at < text.size(); at += piece) scan.feed(std::string_view(text).substr(at, piece));
    return scan.found().value_or("none");
}

TEST(JsonStringScan, FindsTheKeyAtTheTopLevelOnly) {
    EXPECT_EQ(find(R"({"id": "a"})"), "a");
    EXPECT_EQ(find(R"({"x": {"id": "inner"}, "y": ["id", {"id": "z"}], "id" : "a"})"), "a");
    EXPECT_EQ(find(R"({"x": "id", "y": "\"id\": \"b\"", "id": "a"})"), "a");
    EXPECT_EQ(find(R"({"x": {"id": "inner"}})"), "none");
    EXPECT_EQ(find(R"([{"id": "inner"}, "id", "a"])"), "none");
    EXPECT_EQ(find(R"(["id", "a"])"), "none");
    EXPECT_EQ(find(R"("id": "a")"), "none");
}

TEST(JsonStringScan, TakesStringsOnly) {
    EXPECT_EQ(find(R"({"id": 7, "x": "a"})"), "none");
    EXPECT_EQ(find(R"({"id": null, "id": "a"})"), "a");
    EXPECT_EQ(find(R"({"id": ["a"], "x": "b"})"), "none");
    EXPECT_EQ(find(R"({"id": {"id": "a"}, "x": "b"})"), "none");
    EXPECT_EQ(find(R"({"id": "a\"b"})"), "none");
    EXPECT_EQ(find("{\"id\": \"" + std::string(300, 'a') + "\"}"), "none");
}

TEST(JsonStringScan, DoesNotMindWhatIsBroken) {
    EXPECT_EQ(find("{\"x\": \"\xff\xfe\", \"n\": nonsense, \"id\": \"a\""), "a");
    EXPECT_EQ(find(std::string("{\"x\": \"\0\", \"id\": \"a\"}", 22)), "a");
    EXPECT_EQ(find(R"({"id": "a)"), "none");
    EXPECT_EQ(find("}}]]{\"id\": \"a\"}"), "a");
    EXPECT_EQ(find(R"({"x": )" + std::string(100'000, '[') + std::string(100'000, ']') + R"(, "id": "a"})"), "a");
}

TEST(JsonStringScan, DoesNotMindWhereThePiecesEnd) {
    const std::string text = R"({"x": {"id": "no"}, "y": "\\", "id": "the-one"})";
    for (std::size_t piece = 1; piece <= text.size(); ++piece) EXPECT_EQ(find(text, piece), "the-one") << piece;
}

}  // namespace
}  // namespace trebuchet
