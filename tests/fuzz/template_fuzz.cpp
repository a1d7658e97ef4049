#include "common/template/shell_text.hpp"
#include "common/template/template_text.hpp"
#include "tests/fuzz/require.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

using trebuchet::require;

namespace {

class NoValues final : public trebuchet::TemplateValues {
  public:
    [[nodiscard]] trebuchet::Result<trebuchet::WipedString> secret(const std::string& /*name*/) const override {
        return trebuchet::WipedString("{\"a\": null}");
    }
    [[nodiscard]] std::optional<trebuchet::WipedString> env(const std::string& name) const override {
        return name.size() % 2 == 0 ? std::optional<trebuchet::WipedString>("x") : std::nullopt;
    }
};

}  // namespace

/// Templates in a text: in order, within the text, and each can be evaluated or says why not. As a script, the rest of
/// the text stays.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto found = trebuchet::find_templates(text);
    if (!found) {
        require(found.error().message().starts_with("line "), "a refusal names the place");
        return 0;
    }
    std::size_t end = 0;
    std::size_t rest = text.size();
    for (const auto& one : *found) {
        require(one.begin >= end && one.begin <= one.at && one.at < one.end && one.end <= text.size(),
                "a place in order");
        end = one.end;
        rest -= one.end - one.begin;
        static_cast<void>(trebuchet::evaluate(one.expression, NoValues()));
    }
    const auto script = trebuchet::shell_text(text, *found, [](std::size_t /*index*/) { return "V"; });
    require(!script || script->size() >= rest, "only templates are replaced");
    require(!script || !found->empty() || *script == text, "a text without templates stays");
    return 0;
}
