#include "agent/secrets/env_file.hpp"

#include "agent/config/secret_reference.hpp"
#include "common/secret/base64.hpp"

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

namespace trebuchet {
namespace {

constexpr std::string_view blanks = " \t";
constexpr std::string_view prefix = "SECRET_";

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

char unescaped(char c) {
    switch (c) {
        case 'n':
            return '\n';
        case 'r':
            return '\r';
        case 't':
            return '\t';
        default:
            return c;
    }
}

class EnvFileParser {
  public:
    EnvFileParser(std::string_view text, const std::string& file) : rest_(text), file_(file) {}

    Result<std::vector<EnvFileEntry>> parse() {
        while (!rest_.empty()) {
            if (auto line = parse_line(); !line) return fail(line.error());
        }
        return std::move(entries_);
    }

  private:
    [[nodiscard]] tl::unexpected<Error> wrong(const std::string& what) const {
        return fail(file_ + ":" + std::to_string(line_) + ": " + what);
    }

    /// Up to the end of the line, which it takes off, too.
    std::string_view take_line() {
        const auto end = std::min(rest_.find('\n'), rest_.size());
        const auto line = rest_.substr(0, end);
        rest_.remove_prefix(std::min(end + 1, rest_.size()));
        ++line_;
        return line;
    }

    Result<void> parse_line() {
        const auto start = trimmed(rest_.substr(0, rest_.find('\n')));
        if (start.empty() || start.starts_with('#')) {
            take_line();
            return {};
        }
        const auto equals = rest_.find('=');
        auto name = trimmed(rest_.substr(0, equals));
        if (name.starts_with("export") && name.size() > 6 && blanks.find(name[6]) != std::string_view::npos) {
            name = trimmed(name.substr(6));
        }
        if (equals == std::string_view::npos || !is_variable_name(name)) {
            ++line_;
            return wrong("expected NAME=value, with a name of letters, digits and '_'");
        }
        const std::string owned(name);
        rest_.remove_prefix(equals + 1);
        rest_.remove_prefix(std::min(rest_.find_first_not_of(blanks), rest_.size()));
        return parse_value(owned);
    }

    Result<void> parse_value(const std::string& name) {
        const char first = rest_.empty() ? '\n' : rest_.front();
        if (first == '\'' || first == '"') return parse_quoted(name);
        const auto line = trimmed(take_line());
        if (line.starts_with("{{")) return parse_template(name, line);
        add(name, WipedString(without_comment(line)), false);
        return {};
    }

    /// A comment begins after a blank.
    static std::string_view without_comment(std::string_view text) {
        if (text.starts_with('#')) return {};
        for (auto hash = text.find('#'); hash != std::string_view::npos; hash = text.find('#', hash + 1)) {
            if (blanks.find(text[hash - 1]) != std::string_view::npos) return trimmed(text.substr(0, hash));
        }
        return text;
    }

    Result<void> parse_quoted(const std::string& name) {
        const int first_line = line_ + 1;
        auto value = take_quoted();
        if (!value) {
            line_ = first_line;
            return wrong("the quote is not closed");
        }
        const auto after = trimmed(take_line());
        if (!after.empty() && !after.starts_with('#')) return wrong("found more after the closing quote");
        add(name, std::move(*value), false);
        return {};
    }

    std::optional<WipedString> take_quoted() {
        const char quote = rest_.front();
        WipedString value;
        for (std::size_t i = 1; i < rest_.size(); ++i) {
            if (rest_[i] == quote) {
                line_ +=
                    static_cast<int>(std::count(rest_.begin(), rest_.begin() + static_cast<std::ptrdiff_t>(i), '\n'));
                rest_.remove_prefix(i + 1);
                return value;
            }
            const bool is_escape = quote == '"' && rest_[i] == '\\' && i + 1 < rest_.size();
            value += is_escape ? unescaped(rest_[++i]) : rest_[i];
        }
        return std::nullopt;
    }

    /// {{ 'text' | base64encode }}. Kestra's engine replaces #{…} in double quotes, which this does not do.
    Result<void> parse_template(const std::string& name, std::string_view line) {
        constexpr const char* expected = "expected {{ 'text' | base64encode }}, or quotes around a value with {{";
        line.remove_prefix(2);
        line = trimmed(line);
        const char quote = line.empty() ? ' ' : line.front();
        if (quote != '\'' && quote != '"') return wrong(expected);
        WipedString value;
        std::size_t i = 1;
        for (; i < line.size() && line[i] != quote; ++i) {
            const bool is_escape = line[i] == '\\' && i + 1 < line.size();
            value += is_escape ? line[++i] : line[i];
        }
        if (i >= line.size()) return wrong("the quote is not closed");
        if (quote == '"' && value.find("#{") != WipedString::npos) {
            return wrong("#{ in double quotes is an expression, which is not supported: use single quotes");
        }
        auto after = trimmed(line.substr(i + 1));
        if (!after.ends_with("}}") || !after.starts_with('|')) return wrong(expected);
        after = trimmed(after.substr(1, after.size() - 3));
        if (after != "base64encode" && after != "base64encode()") return wrong(expected);
        add(name, std::move(value), true);
        return {};
    }

    void add(const std::string& name, WipedString value, bool is_base64) {
        std::erase_if(entries_, [&](const EnvFileEntry& entry) { return entry.name == name; });
        entries_.push_back({name, std::move(value), is_base64});
    }

    std::string_view rest_;
    const std::string& file_;
    int line_ = 0;
    std::vector<EnvFileEntry> entries_;
};

}  // namespace

Result<std::vector<EnvFileEntry>> parse_env_file(std::string_view text, const std::string& file) {
    constexpr std::string_view mark = "\xEF\xBB\xBF";
    if (text.starts_with(mark)) text.remove_prefix(mark.size());
    return EnvFileParser(text, file).parse();
}

WipedString encoded_env_file(const std::vector<EnvFileEntry>& entries) {
    WipedString text;
    for (const auto& entry : entries) {
        // A value that is marked as to be encoded has the name of its encoded form.
        if (!entry.is_base64 || !entry.name.starts_with(prefix)) text += prefix;
        text.append(entry.name).append("=").append(base64_encoded(entry.value)).append("\n");
    }
    return text;
}

}  // namespace trebuchet
