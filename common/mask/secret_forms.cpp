#include "common/mask/secret_forms.hpp"

namespace trebuchet {
namespace {

std::string_view trimmed(std::string_view text) {
    static constexpr std::string_view blanks = " \t\r\n\v\f";
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

std::string_view unquoted(std::string_view text) {
    const bool is_quoted =
        text.size() >= 2 && text.front() == text.back() && (text.front() == '"' || text.front() == '\'');
    return is_quoted ? text.substr(1, text.size() - 2) : text;
}

}  // namespace

std::string_view core_of(std::string_view value) {
    return trimmed(unquoted(trimmed(value)));
}

std::vector<SecretString> derived_forms(std::string_view value, std::size_t min_length) {
    std::vector<SecretString> forms;
    auto shorter_than = value.size();
    for (const auto form : {trimmed(value), unquoted(trimmed(value)), core_of(value)}) {
        if (form.size() >= shorter_than || form.size() < min_length || form.empty()) continue;
        shorter_than = form.size();
        forms.emplace_back(form);
    }
    return forms;
}

}  // namespace trebuchet
