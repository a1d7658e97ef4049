#include "common/secret/base64.hpp"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

std::string decoded(std::string_view text) {
    const auto bytes = base64_decoded(text);
    return bytes ? std::string(bytes->reveal()) : "invalid";
}

// RFC 4648, section 10.
TEST(Base64, IsWhatTheStandardSays) {
    for (const auto& [plain, text] : {std::pair{"", ""},
                                      {"f", "Zg=="},
                                      {"fo", "Zm8="},
                                      {"foo", "Zm9v"},
                                      {"foob", "Zm9vYg=="},
                                      {"fooba", "Zm9vYmE="},
                                      {"foobar", "Zm9vYmFy"}}) {
        EXPECT_EQ(std::string_view(base64_encoded(plain)), text);
        EXPECT_EQ(decoded(text), plain);
    }
}

TEST(Base64, MayLackItsPaddingAndHaveLineBreaks) {
    EXPECT_EQ(decoded("Zm9vYg"), "foob");
    EXPECT_EQ(decoded("Zm9v\nYmFy\r\n"), "foobar");
}

TEST(Base64, RefusesWhatIsNone) {
    for (const auto* text : {"Z", "Zm9vY", "Zm9v YmFy", "Zm9v=", "Zg===", "Z===", "=", "Zm=v", "Zm9v-_", "pa$$word"}) {
        EXPECT_EQ(decoded(text), "invalid") << text;
    }
}

TEST(Base64, HasAFormForUrls) {
    EXPECT_EQ(std::string_view(base64url_encoded("\xfb\xff")), "-_8");
    EXPECT_EQ(std::string_view(base64_encoded("\xfb\xff")), "+/8=");
}

TEST(Base64, GivesBackAllBytes) {
    std::string all;
    for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
    for (std::size_t length = 0; length <= all.size(); ++length) {
        EXPECT_EQ(decoded(base64_encoded(all.substr(0, length))), all.substr(0, length));
    }
}

TEST(Base64, DecodesTheAlphabetOfUrlsOnlyWhereItIsMeant) {
    EXPECT_EQ(base64url_decoded("-_8")->reveal(), "\xFB\xFF");
    EXPECT_FALSE(base64url_decoded("+/8"));
    EXPECT_FALSE(base64_decoded("-_8"));
}

}  // namespace
}  // namespace trebuchet
