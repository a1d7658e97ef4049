#include "common/mask/value_parts.hpp"

#include "common/mask/gap.hpp"
#include "common/mask/rewriting.hpp"
#include "common/mask/secret_forms.hpp"
#include "common/secret/secret_json.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>

namespace trebuchet {
namespace {

constexpr std::string_view blanks = " \t\r\n\v\f";

/// Sorted.
constexpr std::array<std::string_view, 66> common_words{
    "000000",   "111111",   "123123",    "12345",     "123456",    "1234567",   "12345678", "123456789", "abc123",
    "access",   "account",  "admin",     "admin123",  "anonymous", "changeme",  "client",   "config",    "debian",
    "default",  "demo",     "developer", "device",    "dragon",    "enabled",   "example",  "false",     "guest",
    "hello",    "iloveyou", "internal",  "jenkins",   "kernel",    "letmein",   "linux",    "local",     "localhost",
    "login",    "master",   "monkey",    "network",   "nobody",    "passw0rd",  "password", "password1", "postgres",
    "prod",     "public",   "qwerty",    "raspberry", "root",      "secret",    "server",   "service",   "sudo",
    "system",   "test",     "test123",   "testing",   "token",     "trebuchet", "true",     "ubuntu",    "user",
    "username", "welcome",  "yes"};

static_assert(std::is_sorted(common_words.begin(), common_words.end()));

/// Collects string values.
class Leaves : public nlohmann::json_sax<SecretJson> {
  public:
    std::vector<SecretString> strings;

    bool null() override { return true; }
    bool boolean(bool /*value*/) override { return true; }
    bool number_integer(number_integer_t /*value*/) override { return true; }
    bool number_unsigned(number_unsigned_t /*value*/) override { return true; }
    bool number_float(number_float_t /*value*/, const string_t& /*text*/) override { return true; }
    bool binary(binary_t& /*value*/) override { return true; }
    bool start_array(std::size_t /*elements*/) override { return true; }
    bool end_array() override { return true; }
    bool start_object(std::size_t /*elements*/) override { return true; }
    bool end_object() override { return true; }
    bool key(string_t& /*value*/) override { return true; }
    bool string(string_t& value) override {
        strings.emplace_back(value);
        return true;
    }
    bool parse_error(std::size_t /*position*/, const std::string& /*last_token*/,
                     const nlohmann::detail::exception& /*error*/) override {
        return false;
    }
};

}  // namespace

std::string_view without_blanks(std::string_view text) {
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string_view without_quotes(std::string_view text) {
    const bool is_quoted =
        text.size() >= 2 && text.front() == text.back() && (text.front() == '"' || text.front() == '\'');
    return is_quoted ? text.substr(1, text.size() - 2) : text;
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const auto end = std::min(text.find_first_of("\r\n"), text.size());
        const auto line = without_blanks(text.substr(0, end));
        if (!line.empty()) lines.push_back(line);
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

WipedString with_line_ends(std::string_view text, std::string_view line_end) {
    auto out = off_stack(2 * text.size());
    for (const char c : text) {
        if (c != '\n') {
            out += c;
            continue;
        }
        while (!out.empty() && out.back() == '\r') out.pop_back();
        out += line_end;
    }
    return out;
}

WipedString without_indentation(std::string_view text) {
    auto out = off_stack(text.size());
    bool line_begins = false;
    for (const char c : text) {
        line_begins = c == '\n' || (line_begins && is_blank(c));
        if (!line_begins) out += c;
    }
    return out;
}

std::vector<SecretString> json_leaves(std::string_view text) {
    text = without_blanks(text);
    if (text.empty() || (text.front() != '{' && text.front() != '[')) return {};
    Leaves leaves;
    // SecretJson::sax_parse() does not compile with a string type other than std::string.
    using Input = decltype(nlohmann::detail::input_adapter(text.begin(), text.end()));
    nlohmann::detail::parser<SecretJson, Input> parser(nlohmann::detail::input_adapter(text.begin(), text.end()));
    if (!parser.sax_parse(&leaves)) return {};
    return std::move(leaves.strings);
}

bool is_common(std::string_view text) {
    if (text.empty() || text.find_first_not_of(text.front()) == std::string_view::npos) return true;
    if (text.size() > 16) return false;
    auto lower = off_stack(text.size());
    for (const char c : text) lower += c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    return std::binary_search(common_words.begin(), common_words.end(), std::string_view(lower));
}

bool is_worth_masking(std::string_view part) {
    if (part.size() < shortest::part || is_common(part)) return false;
    if (part.starts_with("-----") && part.ends_with("-----")) return false;
    const auto has_content = [](char c) { return is_alphanumeric(c) || (static_cast<unsigned char>(c) & 0x80U) != 0; };
    return std::any_of(part.begin(), part.end(), has_content);
}

}  // namespace trebuchet
