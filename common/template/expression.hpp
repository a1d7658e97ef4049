#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <tl/expected.hpp>

namespace trebuchet {

/// What stands between {{ and }}:
///
///     secret('NAME')   secret('NAME', subkey='field')   secret(key='NAME')
///     envs.name        envs['name']
///     'text'           "text"    12    null
///     a ?? b           the left one, or the right one if the left is a missing envs.…
///     a ~ b            both, one after the other
///     a | filter       base64encode, trim, upper, lower, default('text')
///     ( … )
///
/// `??` binds tighter than `~`, and `~` tighter than `|`, as in Kestra.
struct Expression {
    enum class Kind { text, null, secret, env, coalesce, join, filter };
    Kind kind = Kind::text;
    std::string text;    ///< the text; the name of the secret, the variable or the filter
    std::string subkey;  ///< of a secret; "": none
    bool has_subkey = false;
    std::vector<Expression> parts;  ///< operands; of a filter: its input, then its argument
};

/// A problem at a byte of the parsed text. Quotes only names.
struct TemplateProblem {
    std::size_t at = 0;
    std::string text;
};

/// Parses the whole of `text`. Refuses everything else with what to write instead; nests at most 50 deep.
[[nodiscard]] tl::expected<Expression, TemplateProblem> parse_expression(std::string_view text);

/// Whether it reads a secret or a variable somewhere.
[[nodiscard]] bool reads_something(const Expression& expression);

}  // namespace trebuchet
