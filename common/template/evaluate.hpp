#pragma once

#include "common/base/result.hpp"
#include "common/secret/secret_string.hpp"
#include "common/template/expression.hpp"

#include <optional>
#include <string>

namespace trebuchet {

/// What templates read.
class TemplateValues {
  public:
    virtual ~TemplateValues() = default;
    /// Without regard to case. An Error, which neither `??` nor `default` catches: there is none.
    [[nodiscard]] virtual Result<WipedString> secret(const std::string& name) const = 0;
    /// An ordinary variable; nothing: there is none.
    [[nodiscard]] virtual std::optional<WipedString> env(const std::string& name) const = 0;
};

struct TemplateResult {
    WipedString value;
    bool is_secret = false;  ///< a secret went into it
    std::string warning{};   ///< one sentence; "" mostly
};

/// Evaluates once: a value is never read as a template. The Error names what is missing and quotes no value.
[[nodiscard]] Result<TemplateResult> evaluate(const Expression& expression, const TemplateValues& values);

}  // namespace trebuchet
