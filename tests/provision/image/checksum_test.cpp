#include "provision/image/checksum.hpp"

#include <cctype>

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

TEST(Checksum, UnderstandsOtherSpellings) {
    std::string upper = abc_sha256;
    for (auto& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    for (const auto& text :
         {upper, "SHA256:" + upper, "sha-256=" + abc_sha256, "sha256: " + abc_sha256, "SHA256 (image) = " + upper,
          "SHA256 (./out/image) = " + abc_sha256, "junk\nSHA256 (image) = " + abc_sha256 + "\n"}) {
        const auto parsed = parse_checksum(text, "image");
        ASSERT_TRUE(parsed) << text;
        EXPECT_EQ(parsed->hex, abc_sha256);
    }
    EXPECT_FALSE(parse_checksum("SHA256 (other) = " + abc_sha256, "image"));
    EXPECT_FALSE(parse_checksum("SHA512 (image) = " + abc_sha256, "image"));
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
