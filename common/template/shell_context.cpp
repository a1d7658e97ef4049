#include "common/template/shell_context.hpp"

#include "common/template/shell_frame.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>
#include <utility>

// Goes over the script once, with a stack of what is open:
//
//   commands      the script itself, (…), $(…), <(…)
//   double        "…", with $(…), ${…} and `…` in it
//   parameter     ${…}
//   arithmetic    $((…)) and ((…))
//   here_document after <<WORD, from the next line on
//
//   1. Single quotes, $'…', `…` and comments hold nothing else, so they are read in one go.
//   2. `)` in a pattern of `case` closes nothing, so `case`, `in` and `esac` are followed where commands begin.
//   3. Where the shells differ, or this cannot tell, no mark is accepted from there on.
//
// Example: echo "a^" <<E  → the mark ^ is double_quoted. From the next line on: here_document.

namespace trebuchet {
namespace {

constexpr auto npos = std::string_view::npos;
constexpr std::size_t deepest = 200;
constexpr std::size_t most_pending = 50;
constexpr const char* numeric_test = "[[ … ]] evaluates what -eq, -lt and -v compare: use [ … ]";
constexpr const char* split = "a backslash and a newline split what the shell reads as one";

bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

bool ends_word(char c) {
    return is_blank(c) || std::string_view("\n;&|()<>").find(c) != npos;
}

using Kind = ShellFrame::Kind;
using CasePart = ShellFrame::CasePart;

class ScriptWalk {
  public:
    explicit ScriptWalk(std::string_view script) : script_(script) { frames_.emplace_back(); }

    tl::expected<std::vector<ShellPlace>, ShellRefusal> walk() {
        check_interpreter();
        while (at_ < script_.size() && !refusal_) step();
        const auto open = frames_.back().kind;
        if (!refusal_ && frames_.size() > 1 && open != Kind::here_document && !places_.empty()) {
            refuse(places_.size() - 1, "the script ends within quotes or parentheses");
        }
        if (refusal_) return tl::unexpected(std::move(*refusal_));
        return std::move(places_);
    }

  private:
    [[nodiscard]] ShellFrame& top() { return frames_.back(); }
    [[nodiscard]] char peek(std::size_t ahead = 0) const {
        return at_ + ahead < script_.size() ? script_[at_ + ahead] : '\0';
    }
    [[nodiscard]] bool next_is(std::string_view text) const { return script_.substr(at_).starts_with(text); }

    void refuse(std::size_t mark, std::string why) {
        if (!refusal_) refusal_ = {mark, std::move(why)};
    }
    void refuse_here(std::string why) { refuse(places_.size(), std::move(why)); }

    void check_interpreter() {
        if (!script_.starts_with("#!")) return;
        auto line = script_.substr(2, script_.find('\n') - 2);
        for (int word = 0; word < 2; ++word) {
            line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
            const auto program = line.substr(0, line.find_first_of(" \t\r"));
            const auto name = program.substr(program.rfind('/') + 1);
            if (name == "sh" || name == "bash" || name == "dash") return;
            if (name != "env") break;
            line.remove_prefix(program.size());
        }
        is_foreign_ = true;
    }

    void push(Kind kind) {
        if (frames_.size() >= deepest) unsure_ = "the script nests too deep";
        ShellFrame frame;
        frame.kind = kind;
        if (frames_.size() < deepest) frames_.push_back(std::move(frame));
    }

    /// A template: takes one byte.
    void mark(ShellPlace place) {
        const char before = at_ == 0 ? '\0' : script_[at_ - 1];
        if (is_foreign_) refuse_here("the script is for another interpreter than sh, bash and dash");
        if (const auto* why = evaluated()) refuse_here(why);
        if (!unsure_.empty()) refuse_here(unsure_ + ": put the value into a variable on the first line");
        if (before == '$' && place != ShellPlace::single_quoted) {
            refuse_here("it follows a $: if this is meant as ${{ … }}, leave the $ out");
        }
        places_.push_back(place);
        top().is_keyword_like = false;
        top().word += template_mark;
        ++at_;
    }

    void step() {
        switch (top().kind) {
            case Kind::commands:
                return step_commands();
            case Kind::double_quotes:
                return step_double();
            case Kind::parameter:
                return step_parameter();
            case Kind::arithmetic:
                return step_arithmetic();
            case Kind::here_document:
                return step_document();
        }
    }

    void step_commands() {
        const char c = peek();
        if (ends_word(c)) end_word(is_blank(c));
        switch (c) {
            case template_mark:
                return mark(ShellPlace::plain);
            case '\\':
                return step_escape();
            case '\'':
                return skip_single();
            case '"':
                return open_double();
            case '`':
                return skip_backquotes();
            case '$':
                return step_dollar(true);
            case '(':
                return open_parenthesis();
            case ')':
                return close_parenthesis();
            case '<':
                return step_less();
            case '\n':
                return end_line();
            case '#':
                if (top().word.empty()) return skip_comment();
                break;
            case ';':
                return step_semicolon();
            case '&':
            case '|':
                top().at_command = true;
                break;
            default:
                break;
        }
        if (!ends_word(c)) top().add_to_word(c);
        ++at_;
    }

    void quoted_part() { top().add_quoted_part(); }

    void end_word(bool goes_on) {
        const auto begins_command = top().at_command;
        const auto word = top().end_word(goes_on);
        if (word.empty()) return;
        auto& frame = top();
        if (word == "[[" && (begins_command || frame.may_be_builtin)) {
            frame.is_test = true;
            frame.marks_before_test = places_.size();
        } else if (word == "]]") {
            frame.is_test = frame.is_numeric_test = false;
        } else if (is_numeric_operator(word)) {
            compare_numbers();
        } else if (word.size() > 1 && (word[0] == '-' || word[0] == '+') && word.find('i') != npos &&
                   declaring_ == frames_.size()) {
            unsure_ = "the script has integer variables (declare -i), whose values bash evaluates";
        }
        if (begins_command || frame.at_command) declaring_ = 0;
        if (is_declaration(word)) declaring_ = frames_.size();
    }

    static bool is_declaration(std::string_view word) {
        return word == "declare" || word == "typeset" || word == "local" || word == "readonly" || word == "export";
    }

    static bool is_numeric_operator(std::string_view word) {
        return word == "-eq" || word == "-ne" || word == "-lt" || word == "-le" || word == "-gt" || word == "-ge" ||
               word == "-v";
    }

    void compare_numbers() {
        for (auto& frame : frames_) {
            if (!frame.is_test) continue;
            frame.is_numeric_test = true;
            if (places_.size() > frame.marks_before_test) refuse(frame.marks_before_test, numeric_test);
        }
    }

    /// Where bash evaluates the value as a number, $(…) in it runs, as in a[$(…)].
    [[nodiscard]] const char* evaluated() const {
        for (const auto& frame : frames_) {
            if (frame.kind == Kind::parameter) return "it is within ${…}: put the value into a variable first";
            if (frame.kind == Kind::arithmetic) return "it is within ((…)): put the value into a variable first";
            if (frame.is_numeric_test) return numeric_test;
            if (frame.brackets > 0)
                return "it is within […], which bash evaluates in a[…]=: use another word, or \"[…]\"";
            if (frame.is_evaluating && !frame.at_command) return "bash evaluates what this command gets";
        }
        return nullptr;
    }

    void step_escape() {
        if (peek(1) == template_mark) refuse_here("it follows a \\, which would change how the shell reads it");
        if (peek(1) != '\n') quoted_part();
        at_ += 2;
    }

    void skip_single() {
        quoted_part();
        ++at_;
        while (at_ < script_.size() && peek() != '\'') {
            if (peek() == template_mark) {
                mark(ShellPlace::single_quoted);
            } else {
                ++at_;
            }
        }
        if (at_ >= script_.size() && !places_.empty()) refuse(places_.size() - 1, "the script ends within '…'");
        ++at_;
    }

    void open_double() {
        quoted_part();
        ++at_;
        push(Kind::double_quotes);
    }

    /// Up to `end`, with escapes by a backslash.
    void skip_without_marks(char end, const char* why) {
        for (; at_ < script_.size() && peek() != end; ++at_) {
            if (peek() == template_mark) refuse_here(why);
            if (peek() == '\\' && peek(1) == template_mark) refuse_here(why);
            if (peek() == '\\') ++at_;
        }
        ++at_;
    }

    void skip_backquotes() {
        quoted_part();
        ++at_;
        skip_without_marks('`', "it is within `…`: use $(…)");
    }

    void step_dollar(bool is_outside_quotes) {
        quoted_part();
        check_split();
        if (peek(1) == '[') check_brackets();
        if (is_outside_quotes && peek(1) == '\'') {
            at_ += 2;
            return skip_without_marks('\'', "it is within $'…': use \"…\"");
        }
        if (next_is("$((")) {
            at_ += 3;
            return push(Kind::arithmetic);
        }
        if (peek(1) == '(') {
            at_ += 2;
            push(Kind::commands);
            top().is_in_parentheses = true;
            return;
        }
        if (peek(1) == '{') {
            at_ += 2;
            return push(Kind::parameter);
        }
        // $$ and $# are names: what follows them is not.
        at_ += std::string_view("$#").find(peek(1)) != npos && peek(1) != '\0' ? 2 : 1;
    }

    void check_split() {
        if (peek(1) == '\\' && peek(2) == '\n') unsure_ = split;
    }

    /// $[…] is bash's old form of $((…)).
    void check_brackets() {
        if (at_ < bracket_end_) return;
        int open = 0;
        for (auto at = at_ + 1; at < script_.size(); ++at) {
            bracket_end_ = at + 1;
            if (script_[at] == template_mark)
                return refuse_here("it is within $[…]: put the value into a variable first");
            if (script_[at] == '[') ++open;
            if (script_[at] == ']' && --open == 0) return;
        }
    }

    void open_parenthesis() {
        check_split();
        auto& frame = top();
        if (frame.is_in_pattern()) {
            ++at_;  // before the pattern
            return;
        }
        if (next_is("((")) {
            at_ += 2;
            return push(Kind::arithmetic);
        }
        ++at_;
        frame.at_command = true;
        push(Kind::commands);
        top().is_in_parentheses = true;
    }

    void close_parenthesis() {
        auto& frame = top();
        ++at_;
        if (frame.is_in_pattern()) {
            frame.cases.back() = CasePart::body;
            frame.at_command = true;
            return;
        }
        if (!frame.is_in_parentheses) return;
        if (!frame.pending.empty()) unsure_ = "a here-document begins after the end of its command";
        frames_.pop_back();
    }

    void step_semicolon() {
        auto& frame = top();
        frame.at_command = true;
        const bool ends_case = next_is(";;") || next_is(";&");
        at_ += ends_case ? 2 : 1;
        if (!ends_case || frame.cases.empty()) return;
        frame.cases.back() = CasePart::pattern;
        if (peek() == '&') ++at_;
    }

    void skip_comment() {
        while (at_ < script_.size() && peek() != '\n') {
            if (peek() == template_mark) {
                mark(ShellPlace::plain);
            } else {
                ++at_;
            }
        }
        top().word.clear();
        top().is_keyword_like = true;
    }

    void step_less() {
        check_split();
        if (next_is("<<<")) {
            at_ += 3;
            return;
        }
        if (!next_is("<<")) {
            ++at_;
            return;
        }
        ++at_;
        check_split();
        ++at_;
        HereDocument document;
        document.strips_tabs = peek() == '-';
        if (document.strips_tabs) ++at_;
        while (is_blank(peek())) ++at_;
        read_delimiter(document);
        if (top().pending.size() < most_pending) {
            top().pending.push_back(std::move(document));
        } else {
            unsure_ = "a line has too many here-documents";
        }
    }

    void read_delimiter(HereDocument& document) {
        for (char quote = '\0'; at_ < script_.size(); ++at_) {
            const char c = peek();
            if (c == template_mark) return refuse_here("it is the end of a here-document");
            if (c == '\n' && quote != '\0') unsure_ = "the end of a here-document has a newline";
            if (quote == '\0' && ends_word(c)) return;
            if (quote != '\'' && c == '\\' && peek(1) == '\n') unsure_ = split;
            if (c == '$' || c == '`') unsure_ = "the end of a here-document is not a plain word";
            if (c == quote) {
                quote = '\0';
            } else if (quote == '\0' && (c == '\'' || c == '"')) {
                quote = c;
                document.is_quoted = true;
            } else if (c == '\\' && quote != '\'') {
                document.is_quoted = true;
                document.word += peek(1);
                ++at_;
            } else {
                document.word += c;
            }
        }
    }

    void end_line() {
        ++at_;
        for (std::size_t i = 0; i + 1 < frames_.size(); ++i) {
            if (!frames_[i].pending.empty()) unsure_ = "a command goes on over the start of a here-document";
        }
        top().at_command = true;
        start_document();
    }

    /// The next of those that wait at this line's end.
    void start_document() {
        auto& pending = top().pending;
        if (pending.empty()) return;
        auto document = std::move(pending.front());
        pending.erase(pending.begin());
        push(Kind::here_document);
        top().document = std::move(document);
    }

    void step_document() {
        auto& frame = top();
        if (std::exchange(frame.at_line_start, false) && ends_document(frame.document)) return;
        const char c = peek();
        if (c == '\n') frame.at_line_start = true;
        if (frame.document.is_quoted) {
            if (c == template_mark) refuse_here("it is in a here-document whose word is quoted: leave the quotes out");
            ++at_;
            return;
        }
        switch (c) {
            case template_mark:
                return mark(ShellPlace::here_document);
            case '\\':
                if (peek(1) == template_mark) refuse_here("it follows a \\, which would change how the shell reads it");
                // A line that goes on: its second part can end nothing.
                at_ += 2;
                return;
            case '`':
                return skip_backquotes();
            case '$':
                return step_dollar(false);
            default:
                ++at_;
        }
    }

    bool ends_document(const HereDocument& document) {
        auto start = at_;
        while (document.strips_tabs && start < script_.size() && script_[start] == '\t') ++start;
        const auto end = std::min(script_.find('\n', start), script_.size());
        if (script_.substr(start, end - start) != document.word) return false;
        at_ = std::min(end + 1, script_.size());
        frames_.pop_back();
        start_document();
        return true;
    }

    void step_double() {
        switch (peek()) {
            case template_mark:
                return mark(ShellPlace::double_quoted);
            case '"':
                frames_.pop_back();
                ++at_;
                return;
            case '\\':
                return step_escape();
            case '`':
                return skip_backquotes();
            case '$':
                return step_dollar(false);
            default:
                ++at_;
        }
    }

    void step_parameter() {
        const char c = peek();
        switch (c) {
            case template_mark:
                return refuse_here("it is within ${…}: put the value into a variable first");
            case '}':
                frames_.pop_back();
                ++at_;
                return;
            case '\\':
                return step_escape();
            case '"':
                return open_double();
            case '\'':
                return skip_single_of_parameter();
            case '`':
                return skip_backquotes();
            case '$':
                return step_dollar(false);
            default:
                ++at_;
        }
    }

    /// Within "…" the shells differ in whether these are quotes: that is the same if nothing special is between them.
    void skip_single_of_parameter() {
        const auto end = script_.find('\'', at_ + 1);
        const auto between = end == npos ? "}" : script_.substr(at_ + 1, end - at_ - 1);
        if (between.find_first_of("}\"$`\\\n\x01") != npos) {
            unsure_ = "the shells differ in how they read quotes within ${…}";
            ++at_;
            return;
        }
        at_ = end + 1;
    }

    void step_arithmetic() {
        auto& frame = top();
        const char c = peek();
        if (c == template_mark) return refuse_here("it is within ((…)): put the value into a variable first");
        if (c == '\'' || c == '"' || c == '`' || c == '#') unsure_ = "this cannot tell (( … )) from ( ( … ) )";
        if (c == '$') return step_dollar(false);
        ++at_;
        if (c == '\\') ++at_;
        if (c == '(') ++frame.parentheses;
        if (c != ')') return;
        if (frame.parentheses > 0) {
            --frame.parentheses;
            return;
        }
        if (peek() == ')') {
            ++at_;
        } else {
            unsure_ = "this cannot tell (( … )) from ( ( … ) )";
        }
        frames_.pop_back();
    }

    std::string_view script_;
    std::size_t at_ = 0;
    std::vector<ShellFrame> frames_;
    std::vector<ShellPlace> places_;
    std::optional<ShellRefusal> refusal_;
    std::size_t declaring_ = 0;    ///< the depth at which `declare` is being read
    std::size_t bracket_end_ = 0;  ///< up to here $[…] was looked through
    std::string unsure_;           ///< why no more marks are accepted
    bool is_foreign_ = false;
};

}  // namespace

tl::expected<std::vector<ShellPlace>, ShellRefusal> shell_places(std::string_view script) {
    return ScriptWalk(script).walk();
}

}  // namespace trebuchet
