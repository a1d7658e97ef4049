#include "common/mask/form_coverage.hpp"

#include "common/mask/finder.hpp"
#include "common/mask/secret_forms.hpp"
#include "common/mask/value_parts.hpp"

#include <array>

namespace trebuchet {
namespace {

constexpr std::string_view base64_within = "base64 within other base64";
constexpr std::string_view gaps = "cut by line ends, carriage returns or terminal sequences";

/// A shorter value is weak. In bytes.
constexpr std::size_t brief_size = 8;

}  // namespace

FormCoverage coverage_of(std::string_view value, std::size_t min_length) {
    FormCoverage coverage;
    if (value.empty()) return coverage;
    const auto core = core_of(value);
    const auto mark = [&coverage](std::string_view form, bool masked) {
        (masked ? coverage.masked : coverage.not_masked).push_back(form);
    };
    if (is_common(core)) {
        coverage.weakness = FormCoverage::Weakness::common;
    } else if (core.size() < brief_size) {
        coverage.weakness = FormCoverage::Weakness::brief;
    }
    if (core.empty() || core.size() < min_length) {
        mark(name_of(Form::exact), false);
        return coverage;
    }
    std::array<bool, form_count> found{};
    for (const auto& form : derived_forms(value, min_length)) found.at(static_cast<std::size_t>(form.form)) = true;
    mark(name_of(Form::exact), true);
    for (std::size_t i = 1; i < form_count; ++i) {
        const bool always_differs =
            i == static_cast<std::size_t>(Form::base64) || i == static_cast<std::size_t>(Form::hex);
        if (found.at(i) || always_differs) mark(form_names.at(i), found.at(i));
    }
    mark(base64_within, core.size() >= shortest::base64);
    mark(gaps, core.size() >= Literals::least_to_join);
    return coverage;
}

}  // namespace trebuchet
