#include "common/base/json_text_scan.hpp"

#include <random>
#include <string>

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

using nlohmann::json;

JsonTextScan scanned(const std::string& text, std::size_t piece = 7, std::size_t tail = 1000) {
    JsonTextScan scan("out", tail);
    for (std::size_t at = 0; at < text.size(); at += piece) scan.feed(std::string_view(text).substr(at, piece));
    return scan;
}

TEST(JsonTextScan, MeasuresTheValueOfItsKeyAtTheTopLevel) {
    const auto scan =
        scanned(R"({"other": {"out": "no"}, "list": ["out", "no"], "x": "out", "out": "a\nb\"c", "z": 1})");
    EXPECT_EQ(scan.length(), 5U);
    EXPECT_EQ(scan.tail(), "a\nb\"c");
    EXPECT_TRUE(scan.is_complete());
}

TEST(JsonTextScan, KnowsThatAKeyIsMissing) {
    const auto scan = scanned(R"({"outer": "x", "ou": "y", "n": null})");
    EXPECT_EQ(scan.length(), 0U);
    EXPECT_TRUE(scan.is_complete());
}

TEST(JsonTextScan, AcceptsOnlyStringValues) {
    EXPECT_EQ(scanned(R"({"out": ["abc"], "x": "abc"})").length(), 0U);
    EXPECT_EQ(scanned(R"({"out": 7, "x": "abc"})").length(), 0U);
    EXPECT_EQ(scanned(R"({"out": {"out": "abc"}})").length(), 0U);
}

TEST(JsonTextScan, KeepsThePartOfATruncatedValue) {
    const auto scan = scanned(R"({"out": "abcd\u00)");
    EXPECT_EQ(scan.length(), 4U);
    EXPECT_FALSE(scan.is_complete());
}

TEST(JsonTextScan, KeepsTheEndOfALongValue) {
    std::string value;
    for (int i = 0; i < 100'000; ++i) value += std::to_string(i) + " ";
    const auto scan = scanned(json{{"out", value}}.dump(), 1000, 50);
    EXPECT_EQ(scan.length(), value.size());
    EXPECT_EQ(scan.tail(), value.substr(value.size() - 50));
}

TEST(JsonTextScan, AgreesWithAJsonLibrary) {
    std::mt19937 random(1);
    const std::vector<std::string> parts{"a",    "\n", "\"", "\\",     "é", "€", "😀", std::string(1, '\0'),
                                         "\x7f", "\t", "/",  "\x1b[0m"};
    for (int round = 0; round < 500; ++round) {
        std::string value;
        for (auto count = random() % 20; count > 0; --count) value += parts[random() % parts.size()];
        const json document{{"a", value + "x"}, {"out", value}, {"z", {{"out", "inner"}}}};
        const auto text = document.dump(round % 3 == 0 ? 2 : -1, ' ', round % 2 == 0);
        const auto scan = scanned(text, 1 + random() % 9);
        ASSERT_EQ(scan.length(), value.size()) << text;
        ASSERT_EQ(scan.tail(), value) << text;
    }
}

/// "none" if it is not found. The text comes in pieces of `piece` bytes.
std::string find(const std::string& text, std::size_t piece = 3) {
    JsonTextScan scan("id", 256);
    for (std::size_t at = 0; at < text.size(); at += piece) scan.feed(std::string_view(text).substr(at, piece));
    return scan.value().value_or("none");
}

TEST(JsonTextScanValue, FindsTheKeyAtTheTopLevelOnly) {
    EXPECT_EQ(find(R"({"id": "a"})"), "a");
    EXPECT_EQ(find(R"({"x": {"id": "inner"}, "y": ["id", {"id": "z"}], "id" : "a"})"), "a");
    EXPECT_EQ(find(R"({"x": "id", "y": "\"id\": \"b\"", "id": "a"})"), "a");
    EXPECT_EQ(find(R"({"x": {"id": "inner"}})"), "none");
    EXPECT_EQ(find(R"([{"id": "inner"}, "id", "a"])"), "none");
    EXPECT_EQ(find(R"(["id", "a"])"), "none");
    EXPECT_EQ(find(R"("id": "a")"), "none");
}

TEST(JsonTextScanValue, IsOnlyAString) {
    EXPECT_EQ(find(R"({"id": 7, "x": "a"})"), "none");
    EXPECT_EQ(find(R"({"id": null, "id": "a"})"), "a");
    EXPECT_EQ(find(R"({"id": ["a"], "x": "b"})"), "none");
    EXPECT_EQ(find(R"({"id": {"id": "a"}, "x": "b"})"), "none");
    EXPECT_EQ(find(R"({"id": "a\"b"})"), "a\"b");
    EXPECT_EQ(find("{\"id\": \"" + std::string(300, 'a') + "\"}"), "none");
}

TEST(JsonTextScanValue, ToleratesBrokenJson) {
    EXPECT_EQ(find("{\"x\": \"\xff\xfe\", \"n\": nonsense, \"id\": \"a\""), "a");
    EXPECT_EQ(find(std::string("{\"x\": \"\0\", \"id\": \"a\"}", 22)), "a");
    EXPECT_EQ(find(R"({"id": "a)"), "none");
    EXPECT_EQ(find("}}]]{\"id\": \"a\"}"), "a");
    EXPECT_EQ(find(R"({"x": )" + std::string(100'000, '[') + std::string(100'000, ']') + R"(, "id": "a"})"), "a");
}

TEST(JsonTextScanValue, IsIndependentOfThePieces) {
    const std::string text = R"({"x": {"id": "no"}, "y": "\\", "id": "the-one"})";
    for (std::size_t piece = 1; piece <= text.size(); ++piece) EXPECT_EQ(find(text, piece), "the-one") << piece;
}

}  // namespace
}  // namespace trebuchet
