#include "common/template/template_text.hpp"

#include <algorithm>
#include <cctype>
#include <optional>

// Goes over the text from left to right:
//
//   1. {# … #} is skipped. {% … %} opens or ends a block.
//   2. At {{, the end is the first }} outside quotes. What is between is parsed; if that gives a template of ours, it
//   is one.
//   3. Otherwise the end is the first }}, as others may have one quote only ({{ it's }}). If what is between mentions
//      secret( or envs., it is an error; if not, it is not ours.
//
// Example: {{.Names}} {{ secret('A') }} → not ours, then ours.

namespace trebuchet {
namespace {

constexpr std::size_t most_templates = 1000;
/// These two bound the time that a hostile text takes.
constexpr std::size_t most_openings = 20'000;
constexpr std::size_t longest_template = 2048;
constexpr auto npos = std::string_view::npos;

bool is_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}

bool is_space(char c) {
    return std::isspace(static_cast<unsigned char>(c)) != 0;
}

/// `word` followed by one of `next`, with blanks between, and not as a part of a longer name.
bool mentions(std::string_view text, std::string_view word, std::string_view next) {
    for (auto at = text.find(word); at != npos; at = text.find(word, at + 1)) {
        const bool starts = at == 0 || (!is_word(text[at - 1]) && text[at - 1] != '.' && text[at - 1] != '$');
        auto end = at + word.size();
        while (end < text.size() && is_space(text[end])) ++end;
        if (starts && end < text.size() && next.find(text[end]) != npos) return true;
    }
    return false;
}

bool mentions_something(std::string_view text) {
    return mentions(text, "secret", "(") || mentions(text, "envs", ".[");
}

bool encodes_a_text(const Expression& expression) {
    return expression.kind == Expression::Kind::filter && expression.text == "base64encode";
}

/// 'text' | base64encode, as far as it can be told without parsing.
bool looks_like_encoding(std::string_view content) {
    const auto start = content.find_first_not_of(" \t\n-");
    return start != npos && (content[start] == '"' || content[start] == '\'') && content.find("base64encode") != npos;
}

class TextSearch {
  public:
    explicit TextSearch(std::string_view text) : text_(text) {}

    Result<std::vector<TextTemplate>> find() {
        while (problem_.empty()) {
            at_ = text_.find('{', at_);
            if (at_ == npos || at_ + 1 >= text_.size()) break;
            step();
        }
        if (!problem_.empty()) return fail(problem_);
        return std::move(found_);
    }

    /// Bytes in which the end of a tag was looked for.
    [[nodiscard]] std::size_t looked_at() const { return looked_at_; }

  private:
    void step() {
        switch (text_[at_ + 1]) {
            case '{':
                return step_template();
            case '#':
                return step_comment();
            case '%':
                return step_tag();
            default:
                ++at_;
        }
    }

    void complain(std::size_t at, const std::string& text) { problem_ = place_in(text_, at) + ": " + text; }

    /// ${#name} is the shell's.
    void step_comment() {
        if (!has_no_comment_end_) comment_end_ = text_.find("#}", std::max(at_ + 2, comment_end_));
        has_no_comment_end_ = comment_end_ == npos;
        const auto end = comment_end_;
        const bool is_comment = end != npos && (at_ == 0 || text_[at_ - 1] != '$');
        at_ = is_comment ? end + 2 : at_ + 2;
    }

    /// As far as a tag may go; npos if it does not end there. What was looked at is not looked at again.
    [[nodiscard]] std::size_t end_of_tag() {
        const auto begin = at_ + 2;
        if (!tag_end_ || (*tag_end_ != npos && *tag_end_ < begin)) {
            tag_end_ = text_.find("%}", begin);
            looked_at_ += std::min(*tag_end_, text_.size()) - begin;
        }
        return *tag_end_ != npos && *tag_end_ - begin <= longest_template - 2 ? *tag_end_ : npos;
    }

    void step_tag() {
        const auto end = end_of_tag();
        if (end == npos) {
            at_ += 2;
            return;
        }
        auto content = text_.substr(at_ + 2, end - at_ - 2);
        if (mentions_something(content))
            return complain(at_, "found {% … %} with secret( or envs., which is not supported");
        while (!content.empty() && (is_space(content.front()) || content.front() == '-')) content.remove_prefix(1);
        for (const auto* block : {"if", "for", "block", "macro", "filter", "autoescape", "cache", "verbatim", "raw"}) {
            const std::string_view word(block);
            if (content.starts_with(word) && (content.size() == word.size() || !is_word(content[word.size()])))
                ++blocks_;
        }
        if (content.starts_with("end")) --blocks_;
        at_ = end + 2;
    }

    /// The first }} outside quotes.
    [[nodiscard]] std::size_t end_outside_quotes() const {
        char quote = '\0';
        const auto last = std::min(text_.size(), at_ + longest_template);
        for (auto at = at_ + 2; at + 1 < last; ++at) {
            const char c = text_[at];
            if (quote != '\0') {
                if (c == quote) quote = '\0';
                if (c == '\\' && text_[at + 1] == quote) ++at;
            } else if (c == '\'' || c == '"') {
                quote = c;
            } else if (c == '}' && text_[at + 1] == '}') {
                return at;
            }
        }
        return npos;
    }

    void step_template() {
        if (++openings_ > most_openings) {
            return complain(at_, "found more than " + std::to_string(most_openings) + " times {{, expected fewer");
        }
        const auto near = text_.substr(at_ + 2, longest_template);
        const auto plain_length = near.find("}}");
        const auto plain_end = plain_length == npos ? npos : at_ + 2 + plain_length;
        const auto content = near.substr(0, plain_end == npos ? near.find('\n') : plain_length);
        // Only a text in quotes can hide more from a quick look at the next bytes.
        const auto end = looks_like_ours(content) ? end_outside_quotes() : npos;
        if (end != npos && add(end)) return;
        if (!problem_.empty()) return;
        if (mentions_something(content) || looks_like_encoding(content)) return refuse(end, plain_end, content);
        at_ += 2;
    }

    [[nodiscard]] static bool looks_like_ours(std::string_view content) {
        return mentions_something(content) || content.find_first_of("'\"") != npos;
    }

    /// False if it is not a template of ours.
    bool add(std::size_t end) {
        auto content_begin = at_ + 2;
        auto content_end = end;
        const bool trims_before = content_begin < content_end && text_[content_begin] == '-';
        if (trims_before) ++content_begin;
        const bool trims_after = content_end > content_begin && text_[content_end - 1] == '-';
        if (trims_after) --content_end;
        auto parsed = parse_expression(text_.substr(content_begin, content_end - content_begin));
        if (!parsed || (!reads_something(*parsed) && !encodes_a_text(*parsed))) return false;
        if (blocks_ > 0) {
            complain(at_, "found a template within {% … %}: tags are not supported");
            return false;
        }
        if (found_.size() == most_templates) {
            complain(at_, "found more than " + std::to_string(most_templates) + " templates, expected fewer");
            return false;
        }
        TextTemplate found{at_, end + 2, at_, std::move(*parsed)};
        const auto limit = found_.empty() ? 0 : found_.back().end;
        while (trims_before && found.begin > limit && is_space(text_[found.begin - 1])) --found.begin;
        while (trims_after && found.end < text_.size() && is_space(text_[found.end])) ++found.end;
        at_ = found.end;
        found_.push_back(std::move(found));
        return true;
    }

    void refuse(std::size_t end, std::size_t plain_end, std::string_view content) {
        if (plain_end == npos) return complain(at_, "found a {{ without its end }}");
        auto begin = at_ + 2;
        auto whole = end == npos ? content : text_.substr(begin, end - begin);
        if (whole.starts_with('-')) {
            whole.remove_prefix(1);
            ++begin;
        }
        if (whole.ends_with('-')) whole.remove_suffix(1);
        const auto parsed = parse_expression(whole);
        if (!parsed) return complain(begin + parsed.error().at, parsed.error().text);
        complain(at_, "found secret( or envs. in a text only: a template cannot give another one");
    }

    std::string_view text_;
    std::size_t at_ = 0;
    int blocks_ = 0;
    std::size_t openings_ = 0;
    std::size_t comment_end_ = 0;  ///< the last #} that was looked for
    bool has_no_comment_end_ = false;
    std::optional<std::size_t> tag_end_;  ///< the last %} that was looked for
    std::size_t looked_at_ = 0;
    std::string problem_;
    std::vector<TextTemplate> found_;
};

}  // namespace

std::string place_in(std::string_view text, std::size_t at) {
    const auto before = text.substr(0, at);
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const auto start = before.rfind('\n');
    const auto column = start == npos ? at + 1 : at - start;
    return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

Result<std::vector<TextTemplate>> find_templates(std::string_view text, std::size_t* looked_at) {
    TextSearch search(text);
    auto found = search.find();
    if (looked_at != nullptr) *looked_at = search.looked_at();
    return found;
}

bool may_have_templates(std::string_view text) {
    return text.find("{{") != npos &&
           (text.find("secret") != npos || text.find("envs") != npos || text.find("base64encode") != npos);
}

void collect_secret_names(const Expression& expression, std::set<std::string>& names) {
    if (expression.kind == Expression::Kind::secret) names.insert(expression.text);
    for (const auto& part : expression.parts) collect_secret_names(part, names);
}

}  // namespace trebuchet
