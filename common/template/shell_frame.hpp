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
    HereDocument document;
    bool at_line_start = true;

    [[nodiscard]] bool is_in_pattern() const { return !cases.empty() && cases.back() == CasePart::pattern; }
    void add_to_word(char c);
    /// The word goes on with something quoted or expanded, so that it is no keyword.
    void add_quoted_part();
    /// Follows `case`, and whether a command begins next.
    void end_word();
};

}  // namespace trebuchet
