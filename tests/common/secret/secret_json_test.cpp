#include "common/secret/secret_json.hpp"

#include <string_view>
#include <type_traits>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

static_assert(std::is_same_v<SecretJson::string_t, WipedString>);

TEST(SecretJson, ParsesIntoWipedStrings) {
    const auto json = SecretJson::parse(std::string_view(R"({"name": "val\u00fce", "list": [1, true, null]})"));
    EXPECT_EQ(json.at("name").get_ref<const WipedString&>(), "valüe");
    EXPECT_EQ(json.at("list").size(), 3U);
}

TEST(SecretJson, WritesIntoAWipedString) {
    const SecretJson json{{"name", "value"}};
    const WipedString text = json.dump();
    EXPECT_EQ(text, R"({"name":"value"})");
}

}  // namespace
}  // namespace trebuchet
