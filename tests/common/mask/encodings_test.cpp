#include "tests/common/mask/masked_text.hpp"

#include <string>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using test::masked;

TEST(Encodings, AreMaskedInBase64OfLongerText) {
    // printf 's3cr3t-value' | base64, then with 1, 2 and 3 colons in front and some behind
    EXPECT_EQ(masked({"s3cr3t-value"}, "<czNjcjN0LXZhbHVl>"), "<M>");
    EXPECT_EQ(masked({"s3cr3t-value"}, "OnMzY3IzdC12YWx1ZTo="), "OnMTo=");
    EXPECT_EQ(masked({"s3cr3t-value"}, "OjpzM2NyM3QtdmFsdWU6Og=="), "OjpMU6Og==");
    EXPECT_EQ(masked({"s3cr3t-value"}, "Ojo6czNjcjN0LXZhbHVl"), "Ojo6M");
}

TEST(Encodings, AreMaskedAsBase64WithItsPadding) {
    EXPECT_EQ(masked({"s3cr3t-valu"}, "<czNjcjN0LXZhbHU=>"), "<M>");
    EXPECT_EQ(masked({"s3cr3t-valu"}, "<czNjcjN0LXZhbHU>"), "<M>");
    EXPECT_EQ(masked({"s3cr3t-valu"}, "<czNjcjN0LXZhbHU6>"), "<M6>");
    EXPECT_EQ(masked({"s3cr"}, "<czNjcg==> <czNjcg>"), "<M> <M>");
}

TEST(Encodings, AreMaskedAsBase64OfAShortLine) {
    EXPECT_EQ(masked({"s3cr"}, "<czNjcgo=>"), "<M>");
}

TEST(Encodings, AreMaskedInBase64OfLongerTextFromFourBytesOn) {
    EXPECT_EQ(masked({"s3cr"}, "<czNjcjo6>"), "<Mjo6>");
    EXPECT_EQ(masked({"s3cr"}, "<eHMzY3I6>"), "<eHMI6>");
    EXPECT_EQ(masked({"s3cr"}, "<eHhzM2Ny>"), "<eHhM>");
}

TEST(Encodings, AreMaskedAsBase64InUrlsAndJson) {
    const std::string value = "s3cr3t-value>>>???~~~";
    EXPECT_EQ(masked({value}, "<czNjcjN0LXZhbHVlPj4%2BPz8%2Ffn5%2B>"), "<M>");
    EXPECT_EQ(masked({value}, "<czNjcjN0LXZhbHVlPj4%2bPz8%2ffn5%2b>"), "<M>");
    EXPECT_EQ(masked({value}, R"(<czNjcjN0LXZhbHVlPj4+Pz8\/fn5+>)"), "<M>");
}

TEST(Encodings, AreMaskedAsUrlSafeBase64) {
    EXPECT_EQ(masked({"s3cr3t-value>>>???~~~"}, "<czNjcjN0LXZhbHVlPj4+Pz8/fn5+>"), "<M>");
    EXPECT_EQ(masked({"s3cr3t-value>>>???~~~"}, "<czNjcjN0LXZhbHVlPj4-Pz8_fn5->"), "<M>");
}

TEST(Encodings, AreMaskedAsHexInEitherCase) {
    EXPECT_EQ(masked({"s3cr3t-value"}, "<7333637233742d76616c7565>"), "<M>");
    EXPECT_EQ(masked({"s3cr3t-value"}, "<7333637233742D76616C7565>"), "<M>");
    EXPECT_EQ(masked({"s3cr3t-value"}, "<7333637233742d76616C7565>"), "<M>");
    EXPECT_EQ(masked({"s3cr3t-value"}, "<7333637233742d76616C756>"), "<7333637233742d76616C756>");
}

TEST(Encodings, AreMaskedAsPercentEncoding) {
    const std::string value = "p@ss w/rd&é~";
    for (const auto* encoded :
         {"p%40ss%20w/rd%26%C3%A9~", "p%40ss%20w%2Frd%26%C3%A9~", "p%40ss+w%2Frd%26%C3%A9~",
          "p%40ss%20w%2frd%26%c3%a9~", "p%40ss+w%2frd%26%c3%a9%7e", "%70%40%73%73%20%77%2f%72%64%26%C3%a9%7E"}) {
        EXPECT_EQ(masked({value}, std::string("?q=") + encoded + "&x"), "?q=M&x");
    }
}

TEST(Encodings, AreMaskedAsHexWithBlanksOrColons) {
    EXPECT_EQ(masked({"s3cr3t"}, "<73 33 63 72 33 74> <73:33:63:72:33:74>"), "<M> <M>");
    EXPECT_EQ(masked({"s3cr3t"}, " 73 33 63\n 72 33 74\n"), " M\n");
    EXPECT_EQ(masked({"s3cr3t"}, "    73:33:63:\n    72:33:74\n"), "    M\n");
    EXPECT_EQ(masked({"s3c"}, "73 33 63"), "73 33 63") << "too short";
}

TEST(Encodings, AreMaskedAsUtf16) {
    const auto wide = [](std::string_view text) {
        std::string units;
        for (const char c : text) (units += c) += '\0';
        return units;
    };
    EXPECT_EQ(masked({"s3cr3t"}, wide("a s3cr3t.")), wide("a ") + "M" + std::string(1, '\0') + wide("."));
    EXPECT_EQ(masked({"€é€"}, "<\x20\xAC" + std::string(1, '\0') + "\xE9\x20\xAC>"), "<M>");
    EXPECT_EQ(masked({"€é€"}, "<\xAC\x20\xE9" + std::string(1, '\0') + "\xAC\x20>"), "<M>");
}

TEST(Encodings, AreMaskedInOctal) {
    EXPECT_EQ(masked({"s3cr3t"}, "<\\163\\063\\143\\162\\063\\164>"), "<M>");
}

TEST(Encodings, AreMaskedAsCatAndLsShowThem) {
    EXPECT_EQ(masked({"é\tx\x01y"}, "<M-CM-)\tx^Ay> <M-CM-)^Ix^Ay>"), "<M> <M>");
    EXPECT_EQ(masked({"it's\tone"}, "'it'\\''s'$'\\t''one'"), "'M'");
}

TEST(Encodings, AreNotMaskedIfTooShort) {
    EXPECT_EQ(masked({"abc"}, "YWJj 616263"), "YWJj 616263");
}

}  // namespace
}  // namespace trebuchet
