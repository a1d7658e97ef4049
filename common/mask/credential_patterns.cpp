#include "common/mask/credential_patterns.hpp"

#include "common/base/text.hpp"
#include "common/mask/compiled_credential_rules.hpp"
#include "common/mask/credential_rules.hpp"
#include "common/mask/pattern_database.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace trebuchet {
namespace {

std::string unknown_name(const std::string& name) {
    const std::vector<std::string> names(credential_kind_names.begin(), credential_kind_names.end());
    std::string text = "unknown kind of credential " + trebuchet::quoted(name) + ", expected ";
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
        text += names[i];
    }
    if (const auto meant = did_you_mean(name, names); !meant.empty()) text += "; did you mean " + meant + "?";
    return text;
}

}  // namespace

CredentialPatterns::CredentialPatterns() = default;
CredentialPatterns::~CredentialPatterns() = default;

Result<std::shared_ptr<const CredentialPatterns>> CredentialPatterns::build(const std::vector<std::string>& off,
                                                                            std::shared_ptr<const MaskText> masks) {
    for (const auto& name : off) {
        if (std::find(credential_kind_names.begin(), credential_kind_names.end(), name) ==
            credential_kind_names.end()) {
            return fail(unknown_name(name));
        }
    }
    std::shared_ptr<CredentialPatterns> patterns(new CredentialPatterns());
    patterns->masks_ = std::move(masks);
    for (const auto& rule : credential_rules()) {
        if (std::find(off.begin(), off.end(), name_of(rule.kind)) == off.end()) patterns->rules_.push_back(&rule);
    }
    if (patterns->rules_.empty()) return patterns;
    const bool all = patterns->rules_.size() == credential_rules().size();
    auto matcher = PatternDatabase::of_expressions(expressions_of(patterns->rules_),
                                                   all ? compiled_credential_rules() : std::vector<std::string_view>());
    if (!matcher) return fail(matcher.error());
    patterns->matcher_ = std::move(*matcher);
    return patterns;
}

std::shared_ptr<const CredentialPatterns> CredentialPatterns::with(std::shared_ptr<const MaskText> masks) const {
    const std::shared_ptr<CredentialPatterns> patterns(new CredentialPatterns());
    patterns->rules_ = rules_;
    patterns->matcher_ = matcher_;
    patterns->masks_ = std::move(masks);
    return patterns;
}

}  // namespace trebuchet
