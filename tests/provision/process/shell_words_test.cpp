#include "provision/process/shell_words.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ShellWords, AreSplitAtBlanks) {
    EXPECT_THAT(split_shell_words("  snmpset -c\tprivate\n10.0.0.1 ").value(),
                ElementsAre("snmpset", "-c", "private", "10.0.0.1"));
}

TEST(ShellWords, KeepQuotedBlanks) {
    EXPECT_THAT(split_shell_words(R"(ssh host 'echo "on" > /sys/x' "a b\"c\\d\e" '')").value(),
                ElementsAre("ssh", "host", R"(echo "on" > /sys/x)", R"(a b"c\d\e)", ""));
    EXPECT_THAT(split_shell_words(R"(a\ b' 'c"d")").value(), ElementsAre("a b cd"));
}

TEST(ShellWords, ExpandNothing) {
    EXPECT_THAT(split_shell_words("echo $HOME * `id` #x").value(), ElementsAre("echo", "$HOME", "*", "`id`", "#x"));
}

TEST(ShellWords, RefuseAnUnterminatedQuote) {
    for (const auto* text : {"echo 'on", "echo \"on", "echo on\\"}) {
        const auto words = split_shell_words(text);
        ASSERT_FALSE(words) << text;
        EXPECT_THAT(words.error().message(), HasSubstr("ends within a quote"));
    }
    for (const auto* text : {"", " \n"}) EXPECT_FALSE(split_shell_words(text));
}

}  // namespace
}  // namespace trebuchet
