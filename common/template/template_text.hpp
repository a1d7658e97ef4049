#pragma once

#include "common/base/result.hpp"
#include "common/template/evaluate.hpp"
#include "common/template/expression.hpp"

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet {

/// One of our templates in a text.
struct TextTemplate {
    std::size_t begin = 0;  ///< of what it replaces, white space included that {{- and -}} take away
    std::size_t end = 0;
    std::size_t at = 0;  ///< of the {{
    Expression expression;
};

/// Where a byte of the text is, from 1: "line 2, column 5".
[[nodiscard]] std::string place_in(std::string_view text, std::size_t at);

/// Finds what reads a secret or a variable, or encodes a text with base64encode, in the order of the text. Every other
/// {{ … }} is left alone, and {# … #} too. The Error says where something looks like one of ours and is not, or stands
/// within {% … %}. Each text is looked at once.
[[nodiscard]] Result<std::vector<TextTemplate>> find_templates(std::string_view text, std::size_t* looked_at = nullptr);

/// True if there can be a template: a quick look.
[[nodiscard]] bool may_have_templates(std::string_view text);

/// Adds the names of the secrets that the expression reads.
void collect_secret_names(const Expression& expression, std::set<std::string>& names);

}  // namespace trebuchet
