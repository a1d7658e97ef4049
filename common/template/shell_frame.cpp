#include "common/template/shell_frame.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

namespace trebuchet {
namespace {

constexpr std::array<std::string_view, 10> before_commands{"then",  "do",    "else", "elif", "if",
                                                           "while", "until", "!",    "{",    "time"};

constexpr std::array<std::string_view, 3> before_builtins{"command", "builtin", "time"};
constexpr std::array<std::string_view, 6> evaluating{"let", "unset", "read", "mapfile", "readarray", "getopts"};
constexpr std::array<std::string_view, 3> may_evaluate{"printf", "test", "["};

template <typename List>
bool is_one_of(const std::string& word, const List& list) {
    return std::find(list.begin(), list.end(), word) != list.end();
}

std::size_t name_length(const std::string& word) {
    const auto end =
        std::find_if(word.begin(), word.end(), [](unsigned char c) { return std::isalnum(c) == 0 && c != '_'; });
    return static_cast<std::size_t>(end - word.begin());
}

bool is_assignment(const std::string& word) {
    const auto length = name_length(word);
    return length > 0 && length < word.size() && (word[length] == '=' || word[length] == '+');
}

/// name[
bool starts_with_element(const std::string& word) {
    const auto length = name_length(word);
    return length > 0 && length < word.size() && word[length] == '[';
}

}  // namespace

void ShellFrame::add_to_word(char c) {
    if (std::isalpha(static_cast<unsigned char>(c)) == 0 && c != '{' && c != '!') is_keyword_like = false;
    word += c;
    if (c == '[') ++brackets;
    if (c == ']' && brackets > 0) --brackets;
}

void ShellFrame::add_quoted_part() {
    is_keyword_like = false;
    word += '"';
}

/// `let` and the others evaluate their words as numbers or as names such as a[…], in which $(…) runs.
void ShellFrame::follow_builtin(const std::string& ended, bool begins_command) {
    if (begins_command) {
        builtin.clear();
        is_evaluating = false;
        may_be_builtin = true;
    }
    if (may_be_builtin) {
        may_be_builtin = is_one_of(ended, before_builtins) || is_assignment(ended);
        if (is_one_of(ended, evaluating)) is_evaluating = true;
        if (is_one_of(ended, may_evaluate)) builtin = ended;
    } else if (!builtin.empty() && ended == "-v") {
        is_evaluating = true;
    }
}

std::string ShellFrame::end_word(bool goes_on) {
    if (word.empty()) {
        if (!goes_on) brackets = 0;
        return {};
    }
    auto ended = std::exchange(word, "");
    const bool is_keyword = std::exchange(is_keyword_like, true);
    const bool begins_command = std::exchange(at_command, false);
    is_subscript = goes_on && brackets > 0 && (is_subscript || (begins_command && starts_with_element(ended)));
    if (!is_subscript) brackets = 0;
    follow_builtin(ended, begins_command);
    if (!is_keyword) return ended;
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
    return ended;
}

}  // namespace trebuchet
