#include "tests/fakes/temporary_folder.hpp"
#include "tests/integration/harness/child_program.hpp"

#include <cstdlib>
#include <random>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace trebuchet::harness {
namespace {

/// A command with which a phase may print the value of $V.
struct Tool {
    const char* name;
    const char* command;
    /// What the tool prints around the value, without punctuation and spaces.
    const char* before = "";
    const char* after = "";
};

constexpr std::string_view python =
    "import os, json, html, shlex, csv, sys, urllib.parse, xml.sax.saxutils; v = "
    "os.environ['V']; b = os.environb[b'V']; ";

const std::vector<Tool>& tools() {
    static const std::vector<Tool> all{
        {"echo", R"(echo "$V")"},
        {"printf, quoted", R"(printf '%q\n' "$V")"},
        {"@Q", R"(echo "${V@Q}")"},
        {"@A", R"(echo "${V@A}")", "declare x V"},
        {"declare -p", "declare -p V", "declare x V"},
        {"set -x", R"({ set -x; true "$V"; } 2>&1)", "true"},
        {"set -x, assignment", R"({ set -x; W=$V; } 2>&1)", "W"},
        {"set -x, comparison", R"({ set -x; [ "$V" = x ]; } 2>&1)", "", "x"},
        {"set -x, pattern", R"({ set -x; [[ x = "$V" ]]; } 2>&1)", "x"},
        {"set -x, expression", R"({ set -x; [[ x =~ "$V" ]]; } 2>&1)", "x"},
        {"printf, quoted, C locale", R"(LC_ALL=C bash -c 'printf "%q\n" "$V"')"},
        {"dash, set -x", R"(dash -xc ': "$V"' 2>&1)"},
        {"printenv", "printenv V"},
        {"base64", R"(printf %s "$V" | base64)"},
        {"base64 in one line", R"(printf %s "$V" | base64 -w0)"},
        {"base64 in short lines", R"(printf %s "$V" | base64 -w10)"},
        {"base64, indented", R"(printf %s "$V" | base64 -w16 | sed 's/^/    /')"},
        {"base64, indented by a tab, CRLF", R"(printf %s "$V" | base64 -w12 | sed 's/^/\t/; s/$/\r/')"},
        {"base64url", R"(printf %s "$V" | basenc --base64url -w0)"},
        {"base16", R"(printf %s "$V" | basenc --base16 -w20)"},
        {"openssl base64", R"(printf %s "$V" | openssl base64)"},
        {"openssl base64 -A", R"(printf %s "$V" | openssl base64 -A)"},
        {"od, bytes", R"(printf %s "$V" | od -An -v -tx1)"},
        {"od, bytes without blanks", R"(printf %s "$V" | od -An -v -tx1 | tr -d ' \n')"},
        {"hex with colons", R"(printf %s "$V" | od -An -v -tx1 -w4096 | sed 's/^ //; s/ /:/g')"},
        {"hex with colons, in lines",
         R"(printf %s "$V" | od -An -v -tx1 -w4096 | sed 's/^ //; s/ /:/g' | fold -w 15 | sed 's/^/    /')"},
        {"sed l", R"(printf %s "$V" | sed -n 'l 1000')"},
        {"cat -v", R"(printf %s "$V" | cat -v)"},
        {"cat -A", R"(printf %s "$V" | cat -A)"},
        {"ls, no such file", R"(LC_ALL=C.UTF-8 ls "./$V" 2>&1)", "ls cannot access", "No such file or directory"},
        {"ls, no such file, C locale", R"(LC_ALL=C ls "./$V" 2>&1)", "ls cannot access", "No such file or directory"},
        {"fold", R"(printf %s "$V" | fold -w 9)"},
        {"fold, indented", R"(printf %s "$V" | tr -d '\n' | fold -w 11 | sed 's/^/  /')"},
        {"indented", R"(printf '%s\n' "$V" | sed 's/^/    /')"},
        {"CRLF", R"(printf '%s\n' "$V" | sed 's/$/\r/')"},
        {"blanks for line ends", R"(printf '%s' "$V" | tr '\n' ' ')"},
        {"coloured", R"(printf '\033[1m%s\033[0m' "$V" | sed 's/./&\x1b[0;31m/6')", "1m", "0m"},
        {"doubled quotes", R"(printf %s "$V" | sed "s/'/''/g")"},
        {"awk", R"(awk 'BEGIN { print ENVIRON["V"] }')"},
        {"perl, quotemeta", R"(perl -e 'print quotemeta $ENV{V}')"},
        {"perl, addslashes", R"(perl -pe 's/(["\x27\\])/\\$1/g' <<< "$V")"},
        {"perl, hex", R"(perl -e 'print unpack("H*", $ENV{V})')"},
        {"perl, percent", R"(perl -e 'printf "%%%02X", $_ for unpack("C*", $ENV{V})')"},
        {"perl, percent where it is no letter or digit",
         R"(perl -e '($v = $ENV{V}) =~ s/([^A-Za-z0-9])/sprintf "%%%02x", ord $1/ge; print $v')"},
        {"perl, Data::Dumper", R"(perl -MData::Dumper -e '$Data::Dumper::Useqq = 1; print Dumper($ENV{V})')", "VAR1"},
        {"perl, \\x", R"(perl -e 'printf "\\x%02x", $_ for unpack("C*", $ENV{V})')"},
        {"perl, octal", R"(perl -e 'printf "\\%03o", $_ for unpack("C*", $ENV{V})')"},
        {"perl, decimal entities", R"(perl -CA -e 'printf "&#%d;", ord for split //, $ARGV[0]' -- "$V")"},
        {"perl, \\u", R"(perl -e 'printf "\\u%04x", $_ for unpack("n*", `printf %s "\$V" | iconv -t UTF-16BE`)')"},
        {"iconv, UTF-16LE", R"(printf %s "$V" | iconv -f UTF-8 -t UTF-16LE)"},
        {"iconv, UTF-16BE", R"(printf %s "$V" | iconv -f UTF-8 -t UTF-16BE)"},
        {"jq", R"(jq -n --arg v "$V" '$v')"},
        {"jq -a", R"(jq -an --arg v "$V" '{v: [$v]}')", "v"},
        {"jq @sh", R"(jq -rn --arg v "$V" '$v | @sh')"},
        {"jq @uri", R"(jq -rn --arg v "$V" '$v | @uri')"},
        {"jq @html", R"(jq -rn --arg v "$V" '$v | @html')"},
        {"jq @base64", R"(jq -rn --arg v "$V" '$v | @base64')"},
        {"jq @csv", R"(jq -rn --arg v "$V" '[$v] | @csv')"},
        {"jq @json @json", R"(jq -rn --arg v "$V" '$v | @json | @json')"},
        {"python, repr", "print([v])"},
        {"python, ascii", "print(ascii(v))"},
        {"python, bytes", "print(b)", "b"},
        {"python, JSON", "print(json.dumps({'v': v}))", "v"},
        {"python, JSON, indented", "print(json.dumps([v], indent=2, ensure_ascii=False))"},
        {"python, JSON in JSON", "print(json.dumps(json.dumps([v])))"},
        {"python, quote", "print(urllib.parse.quote(v))"},
        {"python, quote all", "print(urllib.parse.quote(v, safe=''))"},
        {"python, urlencode", "print(urllib.parse.urlencode({'v': v}))", "v"},
        {"python, html", "print(html.escape(v))"},
        {"python, XML attribute", "print(xml.sax.saxutils.quoteattr(v))"},
        {"python, shlex", "print(shlex.quote(v))"},
        {"python, csv", "csv.writer(sys.stdout).writerow([v])"},
        {"python, unicode_escape", "print(v.encode('unicode_escape').decode())"},
        {"python, hex with blanks", "print(b.hex(' '))"},
        {"python, hex with colons", "print(b.hex(':').upper())"},
        {"python, exception", "raise SystemExit(v)"},
    };
    return all;
}

/// Printed after the output of each tool. It is neither a mask nor part of a value.
constexpr std::string_view separator = "@@\n==NEXT==\n@@";

std::string script() {
    std::string text;
    for (const auto& tool : tools()) {
        const std::string name = tool.name;
        text += "( ";
        if (name.starts_with("python")) {
            // Quoted END: bash does not expand anything in the Python code.
            text += "python3 - 2>&1 <<'END'\n" + std::string(python) + "\n" + tool.command + "\nEND\n";
        } else {
            text += std::string(tool.command) + "\n";
        }
        text += ") < /dev/null\nprintf '@@\\n==NEXT==\\n@@'\n";
    }
    return text;
}

std::vector<std::string> split(std::string_view text) {
    std::vector<std::string> parts;
    for (auto end = text.find(separator); end != std::string_view::npos; end = text.find(separator)) {
        parts.emplace_back(text.substr(0, end));
        text.remove_prefix(end + separator.size());
    }
    return parts;
}

/// The letters and digits that remain when the masks are removed.
std::string residue(const std::string& masked) {
    static const std::regex mask(R"(\*\*[0-9a-f]{6}\*\*)");
    std::string left;
    for (const char c : std::regex_replace(masked, mask, "")) {
        const bool is_ascii = (static_cast<unsigned char>(c) & 0x80U) == 0;
        if (!is_ascii || std::isalnum(static_cast<unsigned char>(c)) != 0) left += c;
    }
    return left;
}

std::string letters(std::string_view text) {
    return residue(std::string(text));
}

/// What phases can print with the tools of a small system, jq and Python.
class MaskTools : public ::testing::TestWithParam<std::string> {};

TEST_P(MaskTools, FindNoWayToPrintTheValue) {
    const TemporaryFolder folder;
    const auto& value = GetParam();
    folder.write("secrets.json", nlohmann::json({{"V", value}}).dump());
    const auto printed = run({"/bin/bash", {"-c", script()}, {{"V", value}, {"LC_ALL", "C.UTF-8"}}, folder.path(), ""});
    const auto masked = run({TREBUCHET_AGENT,
                             {"mask", "--secrets", folder / "secrets.json", "--credentials-off", "private_key"},
                             {},
                             "/",
                             printed.out});
    ASSERT_EQ(masked.code, 0) << masked.err;
    const auto before = split(printed.out);
    const auto after = split(masked.out);
    ASSERT_EQ(before.size(), tools().size()) << printed.err;
    ASSERT_EQ(after.size(), tools().size());
    for (std::size_t i = 0; i < after.size(); ++i) {
        const auto& tool = tools()[i];
        EXPECT_NE(after[i], before[i]) << tool.name;
        EXPECT_EQ(residue(after[i]), letters(tool.before) + letters(tool.after)) << tool.name << ": " << before[i];
    }
}

std::string drawn(std::size_t size, std::string_view alphabet, unsigned seed) {
    std::mt19937 engine(seed);
    std::string value;
    while (value.size() < size) value += alphabet[engine() % alphabet.size()];
    return value;
}

std::vector<std::string> values() {
    const std::string alphanumeric = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    const std::string all = alphanumeric + R"(!"#$%&'()*+,-./:;<=>?@[\]^_`{|}~ )";
    return {
        drawn(24, alphanumeric, 1),
        drawn(40, alphanumeric, 2),
        "q" + drawn(10, all, 3) + "z",
        "q" + drawn(18, all, 4) + "z",
        "q" + drawn(34, all, 5) + "z",
        R"(it's "a" \ $HOME `id` !x)",
        "pässwörd→😀ñ",
        "x9$Q",
        "kZ7p",
        "first-Line 1\nsecond\tLine'2\nthird=\"3\"",
        "{\"user\": \"" + drawn(9, alphanumeric, 6) + "\", \"key\": \"p&<" + drawn(8, alphanumeric, 7) + ">/é\"}",
    };
}

INSTANTIATE_TEST_SUITE_P(Values, MaskTools, ::testing::ValuesIn(values()),
                         [](const auto& test) { return std::to_string(test.index); });

}  // namespace
}  // namespace trebuchet::harness
