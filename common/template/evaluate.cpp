#include "common/template/evaluate.hpp"

#include "common/base/text.hpp"
#include "common/secret/base64.hpp"
#include "common/secret/secret_json.hpp"
#include "common/template/letter_case.hpp"

#include <algorithm>
#include <utility>

namespace trebuchet {
namespace {

/// Bounds what joins of long values may become.
constexpr std::size_t longest_result = std::size_t{4} << 20U;

/// Nothing: null. What is missing is an Error, of one of two kinds.
struct Missing {
    Error error;
    bool can_be_caught = false;  ///< by ?? and default
};
using Value = tl::expected<std::optional<WipedString>, Missing>;

std::string_view trimmed(std::string_view text) {
    const auto is_space = [](char c) { return static_cast<unsigned char>(c) <= 0x20; };
    while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    return text;
}

class Evaluation {
  public:
    explicit Evaluation(const TemplateValues& values) : values_(values) {}

    Value value_of(const Expression& expression) {
        switch (expression.kind) {
            case Expression::Kind::text:
                return WipedString(expression.text);
            case Expression::Kind::null:
                return std::nullopt;
            case Expression::Kind::secret:
                return secret(expression);
            case Expression::Kind::env:
                return env(expression);
            case Expression::Kind::coalesce:
                return coalesced(expression);
            case Expression::Kind::join:
                return joined(expression);
            case Expression::Kind::filter:
                return filtered(expression);
        }
        return std::nullopt;
    }

    TemplateResult result;

  private:
    static Value missing(std::string text, bool can_be_caught = false) {
        return tl::unexpected(Missing{Error(std::move(text)), can_be_caught});
    }

    Value secret(const Expression& expression) {
        auto value = values_.secret(expression.text);
        if (!value) return missing(value.error().message());
        result.is_secret = true;
        if (!expression.has_subkey) return std::move(*value);
        return field(expression, *value);
    }

    Value field(const Expression& expression, const WipedString& value) {
        const auto json = parse_secret_json(value, "the secret");
        const auto name = trebuchet::quoted(expression.text);
        if (!json || !json->is_object()) {
            return missing("the secret " + name + " is not a JSON object, so it has no subkey");
        }
        const auto found = json->find(WipedString(expression.subkey));
        if (found == json->end()) {
            return missing("the secret " + name + " has no subkey " + trebuchet::quoted(expression.subkey));
        }
        if (found->is_string()) return WipedString(found->get_ref<const WipedString&>());
        if (found->is_null()) {
            result.warning = "the subkey " + trebuchet::quoted(expression.subkey) + " of the secret " + name +
                             " is null, which became the text null";
        }
        return found->dump(-1, ' ', false, SecretJson::error_handler_t::replace);
    }

    Value env(const Expression& expression) {
        auto value = values_.env(expression.text);
        if (value) return std::move(*value);
        return missing("the agent has no variable for envs." + expression.text, true);
    }

    Value coalesced(const Expression& expression) {
        auto left = value_of(expression.parts[0]);
        if (!left && !left.error().can_be_caught) return left;
        return left && *left ? std::move(left) : value_of(expression.parts[1]);
    }

    Value joined(const Expression& expression) {
        WipedString all;
        for (const auto& part : expression.parts) {
            auto value = value_of(part);
            if (!value) return value;
            if (*value) all += **value;
            if (all.size() > longest_result) return missing("the result is longer than 4 MiB");
        }
        return all;
    }

    Value filtered(const Expression& expression) {
        auto input = value_of(expression.parts[0]);
        if (expression.text == "default") return with_default(std::move(input), expression.parts[1]);
        if (!input || !*input) return input;
        const WipedString& text = **input;
        if (expression.text == "upper") return upper_case(text);
        if (expression.text == "lower") return lower_case(text);
        if (expression.text == "trim") return WipedString(trimmed(text));
        if (text.size() > longest_result) return missing("the result is longer than 4 MiB");
        return base64_encoded(text);
    }

    /// White space alone counts as empty.
    Value with_default(Value input, const Expression& otherwise) {
        if (!input && !input.error().can_be_caught) return input;
        const bool is_empty = !input || !*input || trimmed(**input).empty();
        return is_empty ? value_of(otherwise) : std::move(input);
    }

    const TemplateValues& values_;
};

}  // namespace

Result<TemplateResult> evaluate(const Expression& expression, const TemplateValues& values) {
    Evaluation evaluation(values);
    auto value = evaluation.value_of(expression);
    if (!value) return fail(value.error().error);
    if (*value) evaluation.result.value = std::move(**value);
    return std::move(evaluation.result);
}

}  // namespace trebuchet
