#include "common/template/expression.hpp"

#include "common/base/text.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>
#include <utility>

// A parser by recursive descent over the bytes of the text:
//
//   expression = joined { "|" filter }
//   joined     = coalesced { "~" coalesced }
//   coalesced  = primary { "??" primary }
//
// Example: 'a' ~ envs.b ?? 'c' | upper → ('a' ~ (envs.b ?? 'c')) | upper

namespace trebuchet {
namespace {

constexpr int deepest = 50;
constexpr std::array<std::string_view, 5> filters{"base64encode", "default", "lower", "trim", "upper"};

bool is_name_start(char c) {
    return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_';
}

bool is_name(char c) {
    return is_name_start(c) || std::isdigit(static_cast<unsigned char>(c)) != 0;
}

/// Ends the parsing.
struct Refusal {
    TemplateProblem problem;
};

class Parser {
  public:
    explicit Parser(std::string_view text) : text_(text) {}

    Expression parse() {
        auto expression = filtered();
        skip_space();
        if (!at_end()) refuse("found " + rest() + ", expected ~, ??, | or the end }}");
        return expression;
    }

  private:
    [[noreturn]] void refuse(std::string text) const { refuse_at(at_, std::move(text)); }
    [[noreturn]] static void refuse_at(std::size_t at, std::string text) { throw Refusal{{at, std::move(text)}}; }

    [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }
    [[nodiscard]] char peek() const { return at_end() ? '\0' : text_[at_]; }
    /// One character: the rest may hold a secret.
    [[nodiscard]] std::string rest() const { return at_end() ? "the end" : trebuchet::quoted(text_.substr(at_, 1)); }

    void skip_space() {
        while (!at_end() && std::isspace(static_cast<unsigned char>(peek())) != 0) ++at_;
    }
    bool take(std::string_view token) {
        skip_space();
        if (!text_.substr(at_).starts_with(token)) return false;
        at_ += token.size();
        return true;
    }
    void expect(std::string_view token) {
        if (!take(token)) refuse("found " + rest() + ", expected " + std::string(token));
    }
    std::string take_name() {
        skip_space();
        const auto start = at_;
        while (is_name(peek())) ++at_;
        return std::string(text_.substr(start, at_ - start));
    }

    static Expression pair(Expression::Kind kind, Expression left, Expression right) {
        Expression both;
        both.kind = kind;
        both.parts.push_back(std::move(left));
        both.parts.push_back(std::move(right));
        return both;
    }

    Expression filtered() {
        auto input = joined();
        for (int count = 0; take("|"); ++count) {
            if (count == deepest) refuse("found too many filters, expected at most " + std::to_string(deepest));
            input = filter(std::move(input));
        }
        return input;
    }

    Expression filter(Expression input) {
        skip_space();
        const auto start = at_;
        const auto name = take_name();
        if (std::find(filters.begin(), filters.end(), name) == filters.end()) {
            refuse_at(start, "found the filter " + trebuchet::quoted(name) +
                                 ", expected base64encode, default('…'), lower, trim or upper");
        }
        Expression filter;
        filter.kind = Expression::Kind::filter;
        filter.text = name;
        filter.parts.push_back(std::move(input));
        if (name == "default") {
            expect("(");
            filter.parts.push_back(nested());
            expect(")");
        } else if (take("(")) {
            expect(")");
        }
        return filter;
    }

    Expression joined() {
        auto left = coalesced();
        for (int count = 0; take("~"); ++count) {
            if (count == deepest) refuse("found too many ~, expected at most " + std::to_string(deepest));
            left = pair(Expression::Kind::join, std::move(left), coalesced());
        }
        return left;
    }

    Expression coalesced() {
        auto left = primary();
        for (int count = 0; take("??"); ++count) {
            if (count == deepest) refuse("found too many ??, expected at most " + std::to_string(deepest));
            left = pair(Expression::Kind::coalesce, std::move(left), primary());
        }
        return left;
    }

    Expression nested() {
        if (++depth_ > deepest) refuse("found too many nested ( ), expected at most " + std::to_string(deepest));
        auto inner = filtered();
        --depth_;
        return inner;
    }

    Expression primary() {
        skip_space();
        const char c = peek();
        if (c == '\'' || c == '"') return literal(Expression::Kind::text, string());
        if (std::isdigit(static_cast<unsigned char>(c)) != 0) return number();
        if (take("(")) {
            auto inner = nested();
            expect(")");
            return inner;
        }
        if (!is_name_start(c)) refuse("found " + rest() + ", expected secret('NAME'), envs.name or a text in quotes");
        const auto start = at_;
        const auto name = take_name();
        if (name == "secret") return secret();
        if (name == "envs") return env();
        if (name == "null") return literal(Expression::Kind::null, "");
        if (name == "true" || name == "false") return literal(Expression::Kind::text, name);
        refuse_at(start,
                  "found " + trebuchet::quoted(name) + ", expected secret('NAME'), envs.name or a text in quotes");
    }

    static Expression literal(Expression::Kind kind, std::string text) {
        Expression expression;
        expression.kind = kind;
        expression.text = std::move(text);
        return expression;
    }

    Expression number() {
        const auto start = at_;
        while (std::isdigit(static_cast<unsigned char>(peek())) != 0) ++at_;
        if (peek() == '.' || is_name(peek())) refuse("found " + rest() + " in a number, expected a whole number");
        return literal(Expression::Kind::text, std::string(text_.substr(start, at_ - start)));
    }

    /// A backslash before the same quote stands for that quote; every other one stays.
    std::string string() {
        const auto start = at_;
        const char quote = text_[at_++];
        std::string value;
        for (; !at_end() && peek() != quote; ++at_) {
            if (peek() == '\\' && at_ + 1 < text_.size() && text_[at_ + 1] == quote) ++at_;
            value += peek();
        }
        if (at_end()) refuse_at(start, "found a text without its second quote");
        ++at_;
        if (quote == '"' && value.find("#{") != std::string::npos) {
            refuse_at(start, "found #{ in double quotes, which would insert something: use single quotes");
        }
        return value;
    }

    Expression secret() {
        expect("(");
        Expression expression;
        expression.kind = Expression::Kind::secret;
        bool has_name = false;
        for (bool first = true; first || take(","); first = false) argument(expression, has_name, first);
        expect(")");
        if (!has_name) refuse("found no name, expected secret('NAME')");
        return expression;
    }

    /// 'NAME', key='NAME' or subkey='field'.
    void argument(Expression& expression, bool& has_name, bool is_first) {
        skip_space();
        const auto start = at_;
        if (is_name_start(peek())) {
            const auto name = take_name();
            if (!take("=")) {
                refuse_at(start,
                          "found " + trebuchet::quoted(name) + " without quotes, expected secret('" + name + "')");
            }
            if (name == "namespace")
                refuse_at(start, "found namespace=, but there are no namespaces here: leave it out");
            if (name == "subkey") {
                expression.subkey = literal_argument();
                expression.has_subkey = true;
                return;
            }
            if (name != "key") refuse_at(start, "found the argument " + trebuchet::quoted(name) + ", expected subkey");
        } else if (!is_first) {
            refuse("found " + rest() + ", expected subkey='…'");
        }
        if (has_name) refuse_at(start, "found a second name");
        expression.text = literal_argument();
        has_name = true;
        if (expression.text.empty()) refuse_at(start, "found an empty name, expected the name of a secret");
        if (expression.text.starts_with("SECRET_")) {
            refuse_at(start, "found " + trebuchet::quoted(expression.text) + ": leave SECRET_ out");
        }
    }

    /// Names must be readable without evaluating anything.
    std::string literal_argument() {
        skip_space();
        if (peek() != '\'' && peek() != '"') refuse("found " + rest() + ", expected a name in quotes");
        auto text = string();
        skip_space();
        if (peek() != ',' && peek() != ')') {
            refuse("found " + rest() + " after a name, expected ) or a comma: names cannot be put together");
        }
        return text;
    }

    Expression env() {
        Expression expression;
        expression.kind = Expression::Kind::env;
        if (take("[")) {
            skip_space();
            if (peek() != '\'' && peek() != '"') refuse("found " + rest() + ", expected envs['name']");
            expression.text = string();
            expect("]");
            return expression;
        }
        expect(".");
        expression.text = take_name();
        if (expression.text.empty()) refuse("found " + rest() + ", expected the name of a variable");
        if (peek() == '-') refuse("found - in a name, expected envs['" + expression.text + "-…']");
        if (peek() == '.' || peek() == '[' || peek() == '(')
            refuse("found " + rest() + " after the name of a variable");
        return expression;
    }

    std::string_view text_;
    std::size_t at_ = 0;
    int depth_ = 0;
};

}  // namespace

tl::expected<Expression, TemplateProblem> parse_expression(std::string_view text) {
    try {
        return Parser(text).parse();
    } catch (Refusal& refusal) {
        return tl::unexpected(std::move(refusal.problem));
    }
}

bool reads_something(const Expression& expression) {
    return expression.kind == Expression::Kind::secret || expression.kind == Expression::Kind::env ||
           std::any_of(expression.parts.begin(), expression.parts.end(), reads_something);
}

}  // namespace trebuchet
