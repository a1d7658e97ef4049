#include "provision/process/curl_config.hpp"

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

TEST(CurlConfig, QuotesTheUrl) {
    EXPECT_EQ(std::string_view(*curl_config(R"(https://host/a"b\c)")), "url = \"https://host/a\\\"b\\\\c\"\ngloboff\n");
}

TEST(CurlConfig, RefusesControlCharacters) {
    EXPECT_FALSE(curl_config("https://host/\noutput = /etc/passwd"));
}

TEST(RedactedUrl, OmitsSecretParts) {
    EXPECT_EQ(redacted_url("https://host/image.zst"), "https://host/image.zst");
    EXPECT_EQ(redacted_url("https://me:pw@x@host/image?sig=abc#part"), "https://host/image?…");
    EXPECT_EQ(redacted_url("ftp://host?a@b"), "ftp://b") << "a password may hold a question mark";
    EXPECT_EQ(redacted_url("http://me:p/w@host/image"), "http://host/image");
    EXPECT_EQ(redacted_url("http://me:p#w@host/image?sig"), "http://host/image?…");
    EXPECT_EQ(redacted_url("me:pw@host/x"), "me:pw@host/x") << "no URL: there is no authority to have credentials in";
    EXPECT_EQ(redacted_url(""), "");
}

}  // namespace
}  // namespace trebuchet
