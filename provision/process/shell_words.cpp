#include "provision/process/shell_words.hpp"

#include "common/base/text.hpp"

namespace trebuchet {
namespace {

constexpr std::string_view blanks = " \t\r\n";

/// Takes one word off the front of `text`, which must not start with a blank. False: unterminated quote.
bool take_word(std::string_view& text, std::string& word) {
    char quote = '\0';
    while (!text.empty()) {
        const char c = text.front();
        if (quote == '\0' && blanks.find(c) != std::string_view::npos) break;
        text.remove_prefix(1);
        if (quote == '\0' && (c == '\'' || c == '"')) {
            quote = c;
        } else if (c == quote) {
            quote = '\0';
        } else if (c == '\\' && quote != '\'') {
            if (text.empty()) return false;
            // In double quotes a backslash escapes only '"' and itself.
            if (quote == '"' && text.front() != '"' && text.front() != '\\') word += c;
            word += text.front();
            text.remove_prefix(1);
        } else {
            word += c;
        }
    }
    return quote == '\0';
}

}  // namespace

Result<std::vector<std::string>> split_shell_words(std::string_view command) {
    std::vector<std::string> words;
    auto rest = command;
    while (true) {
        rest.remove_prefix(std::min(rest.find_first_not_of(blanks), rest.size()));
        if (rest.empty()) break;
        if (!take_word(rest, words.emplace_back())) {
            return fail("the command " + trebuchet::quoted(command) + " ends within a quote or after a backslash");
        }
    }
    if (words.empty()) return fail("found an empty command, expected a program and its arguments");
    return words;
}

}  // namespace trebuchet
