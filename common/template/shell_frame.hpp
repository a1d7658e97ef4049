#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// A here-document: its end, and how it is read.
struct HereDocument {
    std::string word;
    bool is_quoted = false;
    bool strips_tabs = false;
};

/// Something that is open in a script (shell_context.cpp), and what is known of the word that is being read in it.
struct ShellFrame {
    enum class Kind { commands, double_quotes, parameter, arithmetic, here_document };
    enum class CasePart { subject, pattern, body };

    Kind kind = Kind::commands;
    bool is_in_parentheses = false;
    int parentheses = 0;                ///< of arithmetic
    std::vector<CasePart> cases;        ///< the open `case` commands
    std::vector<HereDocument> pending;  ///< they begin at the next line
    bool at_command = true;             ///< a command begins here
    std::string word;
    bool is_keyword_like = true;  ///< the word has only letters so far
    int brackets = 0;             ///< the [ of the word, or of `name[a + b]=`, that are open
    bool is_subscript = false;    ///< blanks do not close them
    bool may_be_builtin = true;   ///< only assignments and `command` came before the word
    std::string builtin;          ///< of this command, if it is one that may evaluate its words
    bool is_evaluating = false;   ///< it evaluates the words that come
    bool is_test = false;         ///< within [[ … ]]
    bool is_numeric_test = false;
    std::size_t marks_before_test = 0;
    HereDocument document;
    bool at_line_start = true;

    [[nodiscard]] bool is_in_pattern() const { return !cases.empty() && cases.back() == CasePart::pattern; }
    void add_to_word(char c);
    /// The word goes on with something quoted or expanded, so that it is no keyword.
    void add_quoted_part();
    /// Follows `case`, and whether a command begins next. Returns the word. `goes_on`: after a blank.
    std::string end_word(bool goes_on);

  private:
    void follow_builtin(const std::string& ended, bool begins_command);
};

}  // namespace trebuchet
