#include "common/mask/secret_forms.hpp"

#include "common/mask/form_list.hpp"

#include <algorithm>

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

void add_all(FormList& forms, std::string_view text) {
    if (text.empty() || text.size() < forms.min_length()) return;
    add_encodings(forms, text);
    add_escapes(forms, text);
}

}  // namespace

void FormList::add(Form form, std::string_view bytes) {
    add(form, bytes, false);
}

void FormList::add_any_case(Form form, std::string_view bytes) {
    add(form, bytes, true);
}

void FormList::add(Form form, std::string_view bytes, bool any_case) {
    if (bytes.empty() || bytes.size() < min_length_ || bytes == value_) return;
    const auto known = std::find_if(forms_.begin(), forms_.end(), [&](const DerivedForm& other) {
        return other.any_case == any_case && other.bytes.reveal() == bytes;
    });
    if (known == forms_.end()) forms_.push_back({form, SecretString(bytes), any_case});
}

std::string_view core_of(std::string_view value) {
    return trimmed(unquoted(trimmed(value)));
}

std::vector<DerivedForm> derived_forms(std::string_view value, std::size_t min_length) {
    FormList forms(value, min_length);
    for (const auto form : {trimmed(value), unquoted(trimmed(value)), core_of(value)}) forms.add(Form::trimmed, form);
    add_all(forms, value);
    if (core_of(value) != value) add_all(forms, core_of(value));
    return forms.take();
}

}  // namespace trebuchet
