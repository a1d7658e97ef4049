#include "common/mask/gap.hpp"
#include "tests/common/mask/masked_text.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using test::fed_in_pieces;
using test::mask_of;
using test::masked;
using test::set_of;

const std::vector<std::string>& some_values() {
    static const std::vector<std::string> values{
        "Zk3vQ9rT7mXw2LpB",
        "p@$$'w\"o`r\\d !#&<%;~{x}>/='",
        "pässwörd→😀ñ",
        "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIH0y\nTz1mXq8=\n-----END PRIVATE KEY-----\n",
        R"({"user": "svc-robot", "password": "hunter22&more/é"})",
        "x9$Q",
        "0f3a99c1d2e4b5a6978877665544332211",
    };
    return values;
}

TEST(GapSearch, FindsValuesInterruptedByLineWraps) {
    EXPECT_EQ(masked({"secret-value"}, "a sec|ret-|\n|value b"), "a M b");
    EXPECT_EQ(masked({"secret-value"}, "s\ne\r\nc\nr\ne\nt\n-\nv\na\nl\nu\ne"), "M");
    EXPECT_EQ(masked({"secret-value"}, "secret-\n\nvalue secret-\r\r\nvalue"), "M M");
}

TEST(GapSearch, FindsValuesInterruptedByTerminalSequences) {
    EXPECT_EQ(masked({"secret-value"}, "sec\x1b[|0;1m|ret\x1b(B-value"), "M");
    EXPECT_EQ(masked({"secret-value"}, "sec\x1b]0;title\aret-\x1b]0;title\x1b\\value"), "M");
    EXPECT_EQ(masked({"secret-value"}, "secr\ret-value"), "M");
    EXPECT_EQ(masked({"secret-value"}, "\x1b[1msecret-value\x1b[0m"), "\x1b[1mM\x1b[0m");
}

TEST(GapSearch, FindsAValueAcrossIndentedLines) {
    EXPECT_EQ(masked({"secret-value"}, "  secret-\n  value\n"), "  M\n");
    EXPECT_EQ(masked({"secret-value"}, "\tsec\r\n\tret\r\n\t-value\r\n"), "\tM\r\n");
    EXPECT_EQ(masked({"a secret value"}, "a\n secret value, a\n  secret\n  value"), "M, a\n  secret\n  value")
        << "a value's own blanks count if lines are not indented";
    EXPECT_EQ(masked({"secret-value"}, "secret-\n" + std::string(63, ' ') + "value"), "M");
    EXPECT_EQ(masked({"secret-value"}, "secret-\n" + std::string(64, ' ') + "value"),
              "secret-\n" + std::string(64, ' ') + "value");
    // printf s3cr3t-value | base64 -w8, indented
    EXPECT_EQ(masked({"s3cr3t-value"}, "key:\n    czNjcjN0\n    LXZhbHVl\n"), "key:\n    M\n");
}

TEST(GapSearch, DoesNotChangeLinesWithoutAValue) {
    EXPECT_EQ(masked({"secret-value"}, "secret-\nval\nsecret\n\r\n-valu\n"), "secret-\nval\nsecret\n\r\n-valu\n");
    EXPECT_EQ(masked({"secret-value"}, "secret-\nx value secret-\x1bvalue"), "secret-\nx value secret-\x1bvalue");
}

TEST(GapSearch, IgnoresTheShortestValues) {
    EXPECT_EQ(masked({"abc"}, "a\nbc ab\x1b[0mc"), "a\nbc ab\x1b[0mc");
    EXPECT_EQ(masked({"abcd"}, "a\nbcd abc\x1b[0md"), "M M");
}

TEST(GapSearch, DoesNotJoinAcrossATooLongGap) {
    const std::string widest(longest_gap, '\n');
    EXPECT_EQ(masked({"secret-value"}, "secret" + widest + "-value"), "M");
    EXPECT_EQ(masked({"secret-value"}, "secret" + widest + "\n-value"), "secret" + widest + "\n-value");
    EXPECT_EQ(masked({"secret-value"}, "secret" + widest + "\x1b[0m-value"), "secret" + widest + "\x1b[0m-value");
}

TEST(GapSearch, PrefersTheLongerOfTwoWithTheSameBeginning) {
    const auto set = set_of({"secret", "secret-value"});
    EXPECT_EQ(fed_in_pieces(set, {"secret\n-value"}), mask_of(*set, "secret-value"));
    EXPECT_EQ(fed_in_pieces(set, {"secret\n", "-valley"}), mask_of(*set, "secret") + "\n-valley");
}

TEST(GapSearch, HoldsOnlyAPossibleBeginning) {
    Masker masker(set_of({"Zk3vQ9rT7mXw2LpB"}));
    for (const auto* prompt : {"login: ", "Password: ", "[sudo] password for user: ", "$ ", "device # ", "line\n"}) {
        EXPECT_EQ(masker.write(prompt).bytes(), prompt);
        EXPECT_EQ(masker.held(), 0U);
    }
    EXPECT_EQ(masker.write("a Zk3v\n").bytes(), "a ");
    EXPECT_EQ(masker.held(), 5U);
    EXPECT_EQ(masker.write("\x1b[0").bytes(), "");
    EXPECT_EQ(masker.write("mQ").bytes(), "");
    EXPECT_EQ(masker.write("8").bytes(), "Zk3v\n\x1b[0mQ8");
    EXPECT_EQ(masker.held(), 0U);
}

TEST(GapSearch, HoldsAnIncompleteTerminalSequence) {
    Masker masker(set_of({"secret"}));
    EXPECT_EQ(masker.write("text\x1b[0;1").bytes(), "text");
    EXPECT_EQ(masker.write("m").bytes(), "\x1b[0;1m");
    EXPECT_EQ(masker.write("\x1b[0").bytes(), "");
    EXPECT_EQ(masker.finish().bytes(), "\x1b[0");
    EXPECT_EQ(masker.write("\x1b]" + std::string(longest_gap, 'x')).size(), longest_gap + 2) << "not a sequence";
}

TEST(GapSearch, KeepsALongerMatchWhenAShorterOneComesLate) {
    const std::string value = "0Q9QNb0xq1\n '=B]'\n";
    EXPECT_EQ(masked({value}, "\x1b]%a" + value + "0%"), "\x1b]%aM0%") << "without an end it is not a sequence";
    EXPECT_EQ(masked({value, "abc"}, "\x1b]%a" + value + "0%abc" + std::string(70, 'x')),
              "\x1b]%aM0%M" + std::string(70, 'x'));
}

TEST(GapSearch, HoldsABoundedNumberOfBytes) {
    const std::string value(100, 'a');
    const auto set = set_of({value + "b"});
    Masker masker(set);
    std::size_t most = 0;
    for (int i = 0; i < 20000; ++i) {
        static_cast<void>(masker.write(i % 40 == 0 ? "a" : "\n"));
        most = std::max(most, masker.held());
    }
    EXPECT_GT(most, 3000U);
    EXPECT_LE(most, set->longest() * (longest_gap + 1));
}

TEST(GapSearch, DoesNotChangeOrdinaryLogs) {
    const auto set = set_of(some_values());
    int files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(TREBUCHET_LOG_SAMPLES)) {
        std::ifstream file(entry.path(), std::ios::binary);
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        EXPECT_EQ(set->mask(text).bytes(), text) << entry.path();
        EXPECT_EQ(fed_in_pieces(set, test::cut_at_random(text, 200, 1)), text) << entry.path();
        ++files;
    }
    EXPECT_GT(files, 5);
}

TEST(GapSearch, HoldsLittleOfOrdinaryLogs) {
    const auto set = set_of(some_values());
    for (const auto& entry : std::filesystem::directory_iterator(TREBUCHET_LOG_SAMPLES)) {
        Masker masker(set);
        std::ifstream file(entry.path(), std::ios::binary);
        for (std::string line; std::getline(file, line);) {
            static_cast<void>(masker.write(line + "\n"));
            EXPECT_LE(masker.held(), 8U) << line;
        }
    }
}

}  // namespace
}  // namespace trebuchet
