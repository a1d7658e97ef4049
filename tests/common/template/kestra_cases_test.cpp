#include "common/file/safe_file.hpp"
#include "common/template/letter_case.hpp"
#include "common/template/template_text.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

// What users write, with the results of Kestra's own template engine and what ours gives.

namespace trebuchet {
namespace {

using Json = nlohmann::json;

class CaseValues final : public TemplateValues {
  public:
    explicit CaseValues(const Json& cases) : cases_(cases) {}
    [[nodiscard]] Result<WipedString> secret(const std::string& name) const override {
        for (const auto& [known, value] : cases_["secrets"].items()) {
            if (upper_case(known) == upper_case(name)) return WipedString(value.get<std::string>());
        }
        return fail("there is no secret " + name);
    }
    [[nodiscard]] std::optional<WipedString> env(const std::string& name) const override {
        const auto& envs = cases_["envs"];
        return envs.contains(name) ? std::optional(WipedString(envs[name].get<std::string>())) : std::nullopt;
    }

  private:
    const Json& cases_;
};

/// "error: …" if there is one.
std::string rendered(const std::string& text, const TemplateValues& values) {
    const auto templates = find_templates(text);
    if (!templates) return "error: " + templates.error().message();
    std::string out;
    std::size_t at = 0;
    for (const auto& found : *templates) {
        const auto result = evaluate(found.expression, values);
        if (!result) return "error: " + result.error().message();
        out += text.substr(at, found.begin - at) + std::string(std::string_view(result->value));
        at = found.end;
    }
    return out + text.substr(at);
}

TEST(KestraCases, GiveWhatTheTableSays) {
    const auto cases = Json::parse(*read_file(TREBUCHET_KESTRA_CASES, 1U << 20U));
    ASSERT_EQ(cases["cases"].size(), 39U) << "the table is complete";
    const CaseValues values(cases);
    for (const auto& entry : cases["cases"]) {
        const auto input = entry["input"].get<std::string>();
        const auto ours = entry["ours"].get<std::string>();
        const auto result = rendered(input, values);
        if (ours == "=") {
            EXPECT_EQ(result, entry["kestra"].get<std::string>()) << input;
        } else if (ours == "as is") {
            EXPECT_EQ(result, input);
        } else {
            EXPECT_TRUE(result.starts_with("error: ")) << input << " gave " << result;
        }
    }
}

}  // namespace
}  // namespace trebuchet
