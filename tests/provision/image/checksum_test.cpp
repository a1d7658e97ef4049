#include "provision/image/checksum.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

const std::string abc_sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(Checksum, ParsesHexDigits) {
    const auto plain = parse_checksum(abc_sha256 + "\n", "image");
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->kind, DigestKind::sha256);
    EXPECT_EQ(plain->hex, abc_sha256);
    EXPECT_EQ(parse_checksum("sha256:" + abc_sha256, "image")->hex, abc_sha256);
    EXPECT_EQ(parse_checksum(std::string(128, 'A'), "image")->hex, std::string(128, 'a'));
    EXPECT_EQ(parse_checksum(std::string(128, 'a'), "image")->kind, DigestKind::sha512);
}

TEST(Checksum, FindsTheFileInAList) {
    const auto list = std::string(64, '0') + " *other.img.xz\n" + abc_sha256 + " *image.img.xz\n";
    EXPECT_EQ(parse_checksum(list, "image.img.xz")->hex, abc_sha256);
    EXPECT_EQ(parse_checksum(abc_sha256 + "  ./out/image.img.xz", "image.img.xz")->hex, abc_sha256);
    EXPECT_FALSE(parse_checksum(list, "third.img.xz"));
}

TEST(Checksum, RefusesOtherText) {
    for (const auto* text :
         {"", "abc", "md5:0123", "sha512:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}) {
        EXPECT_FALSE(parse_checksum(text, "image")) << text;
    }
    EXPECT_THAT(parse_checksum("abc", "image").error().message(), testing::HasSubstr("found the checksum \"abc\""));
    EXPECT_FALSE(parse_checksum(std::string(64, 'g'), "image"));
}

TEST(Digest, MatchesTheStandardsExamples) {
    Digest digest(DigestKind::sha256);
    digest.update("a", 1);
    digest.update("bc", 2);
    EXPECT_EQ(digest.hex(), abc_sha256);
}

}  // namespace
}  // namespace trebuchet
