#include "common/mask/secret_forms.hpp"

#include "common/mask/form_list.hpp"
#include "common/mask/value_parts.hpp"

#include <functional>

namespace trebuchet {
namespace {

void add_all(FormList& forms, std::string_view text) {
    if (text.empty() || text.size() < forms.min_length()) return;
    add_encodings(forms, text);
    if (text.size() <= longest_escaped) add_escapes(forms, text);
}

void add_lines(FormList& forms, std::string_view text) {
    if (text.find('\n') == std::string_view::npos) return;
    for (const auto* line_end : {"\n", "\r\n", "\r\r\n", " ", "", "\\n", "\\r\\n"}) {
        forms.add(Form::joined, with_line_ends(text, line_end));
    }
    forms.add(Form::joined, without_indentation(with_line_ends(text, "\n")));  // indented lines without their gaps
    for (const auto line : lines_of(text)) {
        if (!is_worth_masking(line)) continue;
        forms.add(Form::line, line);
        add_common_escapes(forms, line);
    }
}

void add_leaves(FormList& forms, std::string_view value) {
    for (const auto& leaf : json_leaves(value)) {
        const auto text = core_of(leaf.reveal());
        if (!is_worth_masking(text)) continue;
        forms.add(Form::json_leaf, text);
        add_all(forms, text);
        add_lines(forms, text);
    }
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
    const auto entry = by_hash_.try_emplace(std::hash<std::string_view>()(bytes), none).first;
    for (auto other = entry->second; other != none; other = same_hash_[other]) {
        if (forms_[other].any_case == any_case && forms_[other].bytes.reveal() == bytes) return;
    }
    same_hash_.push_back(entry->second);
    entry->second = forms_.size();
    forms_.push_back({form, SecretString(bytes), any_case});
}

std::string_view core_of(std::string_view value) {
    return without_blanks(without_quotes(without_blanks(value)));
}

std::vector<DerivedForm> derived_forms(std::string_view value, std::size_t min_length) {
    FormList forms(value, min_length);
    const auto core = core_of(value);
    for (const auto form : {without_blanks(value), without_quotes(without_blanks(value)), core}) {
        forms.add(Form::trimmed, form);
    }
    // The blanks and quotes around the core show nothing of it, in any form.
    add_all(forms, core);
    add_lines(forms, core);
    add_leaves(forms, value);
    return forms.take();
}

}  // namespace trebuchet
