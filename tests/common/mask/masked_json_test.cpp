#include "common/mask/masked_json.hpp"

#include "tests/common/mask/mask_oracle.hpp"

#include <string>
#include <type_traits>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using nlohmann::json;

static_assert(!std::is_constructible_v<MaskedJson, json>);
static_assert(!std::is_convertible_v<json, MaskedJson>);
static_assert(!std::is_assignable_v<decltype(std::declval<MaskedJson&>().value()), json>);

class MaskedJsonTest : public testing::Test {
  protected:
    [[nodiscard]] json masked(const json& plain) const { return MaskedJson(*set_, plain).value(); }

    std::shared_ptr<const MaskSet> set_ = *MaskSet::build(test::named({"secret", "12345", "r→d"}));
    std::string mask_ = std::string(set_->mask("secret").bytes());
};

TEST_F(MaskedJsonTest, IsAnEmptyObjectByDefault) {
    EXPECT_EQ(MaskedJson().value(), json::object());
}

TEST_F(MaskedJsonTest, DoesNotChangeJsonWithoutSecrets) {
    const auto plain =
        json::parse(R"({"a": [1, -2, 3.5, true, null, "text", {}], "b": {"c": []}, "ü": 18446744073709551615})");
    EXPECT_EQ(masked(plain), plain);
}

TEST_F(MaskedJsonTest, MasksStringsAtAnyDepth) {
    EXPECT_EQ(masked(json::parse(R"({"a": [{"b": "my secret"}]})")), (json{{"a", {{{"b", "my " + mask_}}}}}));
    EXPECT_EQ(masked("secret"), mask_);
}

TEST_F(MaskedJsonTest, MasksKeys) {
    EXPECT_EQ(masked({{"a secret key", 1}}), (json{{"a " + mask_ + " key", 1}}));
}

TEST_F(MaskedJsonTest, KeepsBothOfTwoKeysThatBecomeTheSame) {
    const auto result = masked({{"secret", 1}, {mask_, 2}});
    EXPECT_EQ(result.size(), 2U);
}

TEST_F(MaskedJsonTest, TurnsANumberWithASecretIntoAString) {
    const auto mask = std::string(set_->mask("12345").bytes());
    EXPECT_EQ(masked(12345), mask);
    EXPECT_EQ(masked(-912345), "-9" + mask);
    EXPECT_EQ(masked(0.12345), "0." + mask);
    EXPECT_EQ(masked(1234), 1234);
}

TEST_F(MaskedJsonTest, ReplacesInvalidUtf8AfterMasking) {
    EXPECT_EQ(masked("a\xFF r→d"), "a\xEF\xBF\xBD " + std::string(set_->mask("r→d").bytes()));
    EXPECT_NO_THROW(static_cast<void>(masked({{"\xC3", "\xE2\x86"}}).dump()));
}

TEST_F(MaskedJsonTest, MasksBinaryValuesAsText) {
    EXPECT_EQ(masked(json::binary({'s', 'e', 'c', 'r', 'e', 't'})), mask_);
}

TEST_F(MaskedJsonTest, SurvivesThousandsOfLevels) {
    constexpr std::size_t levels = 100000;
    const auto deep = json::parse(std::string(levels, '[') + "\"secret\"" + std::string(levels, ']'));
    const auto text = masked(deep).dump();
    EXPECT_EQ(text.find("secret"), std::string::npos);
    EXPECT_NE(text.find("(nested too deeply)"), std::string::npos);
}

}  // namespace
}  // namespace trebuchet
