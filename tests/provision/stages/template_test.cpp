#include "provision/stages/template.hpp"

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

std::string fill(std::string_view text) {
    return fill_template(text, {{"device_ip", "10.0.0.7"}, {"empty", ""}});
}

TEST(Template, NeedsADoubleBrace) {
    EXPECT_TRUE(is_template("{{"));
    EXPECT_FALSE(is_template("ssh {device_ip} }}"));
    EXPECT_FALSE(is_template(""));
}

TEST(Template, FillsInConfigurationKeys) {
    EXPECT_EQ(fill("ssh {device_ip} {{x}}"), "ssh 10.0.0.7 {x}");
    EXPECT_EQ(fill("{device_ip}{device_ip}[{empty}]"), "10.0.0.710.0.0.7[]");
    EXPECT_EQ(fill("{{{device_ip}}}"), "{10.0.0.7}");
}

TEST(Template, LeavesUnknownKeysUnchanged) {
    for (const auto* text : {"", "plain", "{", "}", "{}", "{unknown}", "${HOME}", "${A:-${B}}x", "awk '{ print $1 }'",
                             "{a{b}", "{device_ip", "device_ip}", "{ device_ip }", "{unknown} {device_ip"}) {
        EXPECT_EQ(fill(text), text);
    }
}

TEST(Template, DoubleBracesBecomeSingleOnes) {
    EXPECT_EQ(fill("awk '{{ print $1 }}'"), "awk '{ print $1 }'");
    EXPECT_EQ(fill("{{device_ip}}"), "{device_ip}");
    EXPECT_EQ(fill("{{{{"), "{{");
}

}  // namespace
}  // namespace trebuchet
