#include "common/template/shell_frame.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace trebuchet {
namespace {

constexpr std::array<std::string_view, 10> before_commands{"then",  "do",    "else", "elif", "if",
                                                           "while", "until", "!",    "{",    "time"};

}  // namespace

void ShellFrame::add_to_word(char c) {
    if (std::isalpha(static_cast<unsigned char>(c)) == 0 && c != '{' && c != '!') is_keyword_like = false;
    word += c;
}

void ShellFrame::add_quoted_part() {
    is_keyword_like = false;
    word += '"';
}

void ShellFrame::end_word() {
    if (word.empty()) return;
    const auto ended = std::exchange(word, "");
    const bool is_keyword = std::exchange(is_keyword_like, true);
    const bool begins_command = std::exchange(at_command, false);
    if (!is_keyword) return;
    if (ended == "in" && !cases.empty() && cases.back() == CasePart::subject) {
        cases.back() = CasePart::pattern;
    } else if (ended == "esac" && !cases.empty() && (is_in_pattern() || begins_command)) {
        cases.pop_back();
    } else if (ended == "case" && begins_command) {
        cases.push_back(CasePart::subject);
    } else {
        at_command =
            begins_command && std::find(before_commands.begin(), before_commands.end(), ended) != before_commands.end();
    }
}

}  // namespace trebuchet
