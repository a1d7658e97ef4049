#include "agent/import/supervisord_conf.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(SupervisordConf, HasProgramsWithTheirKeys) {
    const auto programs = parse_supervisord_conf(
        "; a comment\n[supervisord]\nlogfile=/x\n[program:one]\ncommand = /bin/one -c \"a b\" ; why\nuser=ubuntu\r\n\n"
        "[program: two ]\ncommand=/bin/two\n  --more\n[group:both]\nprograms=one,two\n");
    ASSERT_EQ(programs.size(), 2U);
    EXPECT_EQ(programs[0].name, "one");
    EXPECT_EQ(programs[0].value("command"), "/bin/one -c \"a b\"");
    EXPECT_EQ(programs[0].value("user"), "ubuntu");
    EXPECT_EQ(programs[0].value("logfile"), "");
    EXPECT_EQ(programs[1].name, "two");
    EXPECT_EQ(programs[1].value("command"), "/bin/two --more");
    EXPECT_EQ(programs[1].value("programs"), "");
}

TEST(SupervisordConf, HasTheEnvironmentWithoutQuotes) {
    const auto programs =
        parse_supervisord_conf("[program:a]\nenvironment=A=\"1,2=3\", B='x \"y\"',C=plain,\n  D=next\n");
    EXPECT_THAT(programs.at(0).environment,
                ElementsAre(Pair("A", "1,2=3"), Pair("B", "x \"y\""), Pair("C", "plain"), Pair("D", "next")));
}

TEST(SupervisordConf, RefusesNothing) {
    for (const auto* text :
         {"", "[program:", "[program:]", "=", "[program:a]\n=\n=x\nenvironment=\"", "\0x", "  lost\n"}) {
        EXPECT_NO_THROW(static_cast<void>(parse_supervisord_conf(text))) << text;
    }
    EXPECT_THAT(parse_supervisord_conf("[program:a"), IsEmpty());
}

TEST(SplitCommand, SplitsAsAShellDoes) {
    EXPECT_THAT(split_command("  a 'b c' \"d \\\" e\" f\\ g ''"), ElementsAre("a", "b c", "d \" e", "f g", ""));
    EXPECT_THAT(split_command("a 'open"), ElementsAre("a", "open"));
    EXPECT_THAT(split_command(""), IsEmpty());
}

}  // namespace
}  // namespace trebuchet
