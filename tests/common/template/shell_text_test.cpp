#include "common/template/shell_text.hpp"

#include "tests/fakes/temporary_folder.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;

const std::string name = "VALUE_OF_TEST";

/// The script with references in place of each @, which stands for a template.
Result<std::string> referring(std::string script) {
    for (auto at = script.find('@'); at != std::string::npos; at = script.find('@', at)) {
        script.replace(at, 1, "{{ secret('A') }}");
    }
    const auto templates = find_templates(script);
    if (!templates) return fail(templates.error());
    return shell_text(script, *templates, [](std::size_t /*index*/) { return name; });
}

std::string refusal(const std::string& script) {
    const auto text = referring(script);
    return text ? "" : text.error().message();
}

class ShellText : public testing::Test {
  protected:
    /// What the real shell prints.
    std::string output(const std::string& shell, const std::string& script, const std::string& value) {
        const auto file = folder.write("script", script);
        ::setenv(name.c_str(), value.c_str(), 1);
        const auto command = "cd '" + folder.path().string() + "' && " + shell + " '" + file.string() + "' 2>&1";
        std::string out;
        auto* pipe = ::popen(command.c_str(), "r");
        std::array<char, 4096> buffer{};
        for (std::size_t got = 0; (got = std::fread(buffer.data(), 1, buffer.size(), pipe)) > 0;) {
            out.append(buffer.data(), got);
        }
        ::pclose(pipe);
        return out;
    }
    static std::string filled(std::string expected, const std::string& value) {
        for (auto at = expected.find('@'); at != std::string::npos; at = expected.find('@', at + value.size())) {
            expected.replace(at, 1, value);
        }
        return expected;
    }

    const TemporaryFolder folder;
};

struct Fragment {
    std::string script;
    std::string output;  ///< @: the value
};

/// Each is whole, so they can follow each other in any order.
const std::vector<Fragment> fragments{
    {"printf '%s\\n' @", "@\n"},
    {"printf '%s\\n' a@b@", "a@b@\n"},
    {"printf '%s\\n' \"a@b\"", "a@b\n"},
    {"printf '%s\\n' \"@@\"", "@@\n"},
    {"printf '%s\\n' 'a@b'", "a@b\n"},
    {"printf '%s\\n' 'it'\\''s $@ `@`'", "it's $@ `@`\n"},
    {"printf '%s\\n' \"it's @\"", "it's @\n"},
    {"printf '%s\\n' \"$(printf '%s' \"<@>\")\"", "<@>\n"},
    {"printf '%s\\n' \"$(printf '%s' '<'@'>' \"$(printf '%s' \"(@)\")\")\"", "<@>(@)\n"},
    {"cat <<E\na@b \"@\" '@' @@\nE", "a@b \"@\" '@' @@\n"},
    {"cat <<-  E_O_F | cat\n\ta@ $(printf '%s' \"[@]\")\n\tE_O_F", "a@ [@]\n"},
    {"cat <<E\n@\\\nfoo @\\\n_@\\\n\\\n9\nE", "@foo @_@9\n"},
    {"cat <<A; cat <<B\n1@\nA\n2@\nB", "1@\n2@\n"},
    {"cat <<'Q'\nit's \"not $this\nQ", "it's \"not $this\n"},
    {"X=@; printf '%s\\n' \"$X\"", "@\n"},
    {"# it's a comment \" with @\n:", ""},
    {"case a in (b) ;; a) printf '%s\\n' \"@\" ;; *) false ;; esac", "@\n"},
    {"printf '%s\\n' \"$(case a in a) printf '%s' @ ;; b) echo \"it's\" ;; esac)\"", "@\n"},
    {"(printf '%s\\n' @ ; : '(' )", "@\n"},
    {"(printf '%s\\n' @)#it's a comment", "@\n"},
    {"printf '%s\\n' $(echo x)#@ a#@", "x#@\na#@\n"},
    {"for i in @ x; do printf '<%s>\\n' \"$i\"; done", "<@>\n<x>\n"},
    {"printf '%s\\n' \"${X:-it}\" >/dev/null; printf '%s\\n' @", "@\n"},
    {"echo `echo \"it\\`echo s\\`\"` $((1 + (2 << 3))) \\' \\\" >/dev/null; printf '%s\\n' @", "@\n"},
    {"if [ -n @ ]; then printf '%s\\n' yes@; fi", "yes@\n"},
    {"printf '%s\\n' \\\\\"@\"\\\n'@'", "\\@@\n"},
};

const std::vector<std::string> values{
    "plain",
    "tok'en\"$x",
    "$(touch ran) `touch ran` ; touch ran",
    "a  b\t*",
    "line 1\nline 2",
    "\\n\\",
    "-n",
    "E\nE_O_F\nA",
    "' ; touch ran ; '",
    "\" ; touch ran ; \"",
    "}}{{ secret('A') }}",
    "!! $$ ${x} #",
    "~/x [a-z] ? {a,b}",
};

TEST_F(ShellText, GivesTheValueInEachPlace) {
    for (const auto& fragment : fragments) {
        if (fragment.output.empty()) continue;
        const auto script = referring(fragment.script + "\n");
        ASSERT_TRUE(script) << fragment.script << ": " << script.error().message();
        EXPECT_THAT(*script, testing::Not(HasSubstr("${" + name)));
        for (const auto* shell : {"sh", "bash", "dash"}) {
            EXPECT_EQ(output(shell, *script, "a 'b' \"$c\" \\ *"), filled(fragment.output, "a 'b' \"$c\" \\ *"))
                << shell << ": " << *script;
        }
    }
}

TEST_F(ShellText, GivesAnyValueInAnyOrderOfPlaces) {
    std::mt19937 random(18);  // NOLINT: the same each time
    for (const auto& value : values) {
        for (const auto* shell : {"bash", "dash"}) {
            std::string script;
            std::string expected;
            for (int i = 0; i < 12; ++i) {
                const auto& fragment = fragments[random() % fragments.size()];
                script += fragment.script + "\n";
                expected += filled(fragment.output, value);
            }
            const auto text = referring(script);
            ASSERT_TRUE(text) << script << ": " << text.error().message();
            EXPECT_EQ(output(shell, *text, value), expected) << shell << ": " << *text;
            EXPECT_FALSE(std::filesystem::exists(folder / "ran"));
        }
    }
}

TEST_F(ShellText, RefusesWhatHasNoSafeForm) {
    EXPECT_THAT(refusal("cat <<'E'\n@\nE\n"), HasSubstr("line 2, column 1: a template cannot stand here"));
    EXPECT_THAT(refusal("cat <<\\E\n@\nE\n"), HasSubstr("word is quoted"));
    EXPECT_THAT(refusal("echo $'a@'"), HasSubstr("$'…'"));
    EXPECT_THAT(refusal("echo $((1 + @))"), HasSubstr("((…))"));
    EXPECT_THAT(refusal("((x = @))"), HasSubstr("((…))"));
    EXPECT_THAT(refusal("echo `echo @`"), HasSubstr("use $(…)"));
    EXPECT_THAT(refusal("echo \"${x:-@}\""), HasSubstr("${…}"));
    EXPECT_THAT(refusal("echo $@"), HasSubstr("leave the $ out"));
    EXPECT_THAT(refusal("echo \"$@\""), HasSubstr("leave the $ out"));
    EXPECT_THAT(refusal("echo \\@"), HasSubstr("follows a \\"));
    EXPECT_THAT(refusal("cat <<E\n\\@\nE\n"), HasSubstr("follows a \\"));
    EXPECT_THAT(refusal("cat <<@\nE\n"), HasSubstr("end of a here-document"));
    EXPECT_THAT(refusal("echo \"@"), HasSubstr("ends within"));
    EXPECT_THAT(refusal("echo '@"), HasSubstr("ends within"));
    EXPECT_THAT(refusal("echo \"${x:-'}\"}'}\" @"), HasSubstr("the shells differ"));
    EXPECT_THAT(refusal("echo \x01 @"), HasSubstr("control character"));
    std::string many = "cat";
    for (int i = 0; i < 100'000; ++i) many += " <<E";
    EXPECT_THAT(refusal(many + " @"), HasSubstr("too many here-documents"));
}

TEST_F(ShellText, RefusesWhatBashEvaluates) {
    for (const auto* script : {"echo $[@]",
                               "echo \"$[1 + @]\"",
                               "echo $[a[1] + @]",
                               "[[ @ -eq 1 ]]",
                               "if [[ 1 -lt \"@\" ]]; then :; fi",
                               "[[ -n x && ( @ -ge 1 ) ]]",
                               "! [[ $(echo @) -ne 1 ]]",
                               "[[ -v @ ]]",
                               "a[@]=1",
                               "a[1 + @]=1",
                               "a[\"@\"]=1",
                               "a=([@]=1)",
                               "let @",
                               "let 'x=@'",
                               "X=1 let @",
                               "command let x=@",
                               "declare -i x=@",
                               "declare -i x; x=@",
                               "typeset -ri x=@",
                               "f() { local -i x; x=@; }",
                               "echo ${x:\"@\"}",
                               "echo ${a[\"@\"]}",
                               "echo ${a[$(echo @)]}",
                               "echo $(( $(echo @) ))",
                               "printf -v \"@\" x",
                               "[ -v @ ]",
                               "unset \"@\"",
                               "read '@'"}) {
        EXPECT_THAT(refusal(script), HasSubstr("a template cannot stand here")) << script;
    }
    for (const auto* script :
         {"[ @ -eq 1 ]", "[[ @ == x ]]", "[[ 1 -eq 1 ]]; echo @", "let 1; echo @", "echo let @", "a[1]=@", "a=(@ b)",
          "echo [ @ ]", "declare x=@", "export X=@", "printf '%s' @", "echo -v @", "[[ -f @ ]] && [ 1 -lt 2 ]",
          "ls -i; echo @", "echo declare\nls -i @", "[[ x =~ [a-z] ]]; echo @"}) {
        EXPECT_EQ(refusal(script), "") << script;
    }
}

TEST_F(ShellText, RefusesWhatABackslashAndANewlineSplit) {
    for (const auto* script :
         {"cat <\\\n<E\n'@\nE\n", "cat <<\\\nE\n@\nE\n", "cat <<E\\\nF\n@\nEF\n", "echo $\\\n((@))", "(\\\n(@))"}) {
        EXPECT_THAT(refusal(script), HasSubstr("a template cannot stand here")) << script;
    }
}

TEST_F(ShellText, SeesACommentAfterASubshell) {
    EXPECT_EQ(refusal("(true)# it's\necho @\n"), "");
    EXPECT_EQ(refusal("f() (true)# it's\necho @\n"), "");
}

TEST_F(ShellText, RefusesScriptsOfOtherInterpreters) {
    EXPECT_THAT(refusal("#!/usr/bin/env python3\nprint('@')\n"), HasSubstr("another interpreter"));
    EXPECT_THAT(refusal("#!/bin/zsh\necho @\n"), HasSubstr("another interpreter"));
    for (const auto* line : {"#!/bin/sh -e", "#! /bin/bash", "#!/usr/bin/env bash", "#!/bin/dash", "# !/bin/zsh"}) {
        EXPECT_EQ(refusal(std::string(line) + "\necho @\n"), "") << line;
    }
    EXPECT_EQ(refusal("#!/usr/bin/python3\nprint(1)\n"), "") << "without templates";
}

TEST_F(ShellText, TakesAnyBytes) {
    std::mt19937 random(19);  // NOLINT: the same each time
    constexpr std::string_view alphabet = "'\"`$(){}<>\\\n#;& @E-case in)esac!|";
    for (int i = 0; i < 3000; ++i) {
        std::string script;
        for (int n = 0; n < 40; ++n) script += alphabet[random() % alphabet.size()];
        (void)referring(script);
    }
}

}  // namespace
}  // namespace trebuchet
