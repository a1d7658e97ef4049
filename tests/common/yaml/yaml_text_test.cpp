#include "common/yaml/yaml_text.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

TEST(YamlText, TypesPlainScalarsAsPyYamlDoes) {
    for (const char* text : {"", "~", "null", "Null", "NULL"})
        EXPECT_EQ(plain_scalar_type(text), YamlType::null) << text;
    for (const char* text :
         {"0", "-0", "00", "017", "0_", "1_", "+5", "0x1F", "-0x_1f", "0b1_0", "1:30", "-12:30:59", "1:5"}) {
        EXPECT_EQ(plain_scalar_type(text), YamlType::integer) << text;
    }
    for (const char* text :
         {"1.0", "1.", "-1.5", ".5", "1_0.0_1", "1.0e+3", "1.E-3", ".inf", "-.INF", "+.Inf", ".NaN", "1:30.5"}) {
        EXPECT_EQ(plain_scalar_type(text), YamlType::floating) << text;
    }
    for (const char* text : {"2026-11-20", "2026-1-2 3:04:05", "2026-11-20T20:31:00Z", "2026-11-20t20:31:00.5 +1:30",
                             "2026-11-20 20:31:00 -5"}) {
        EXPECT_EQ(plain_scalar_type(text), YamlType::timestamp) << text;
    }
    for (const char* text :
         {"y",     "n",           "nULL",  "yES", "08",   "0x",    "0b",       "0x_",         "0b_",
          "0o17",  "_1",          "-",     "+",   ".",    "1e3",   "1.0e3",    "-.5",         "+.5",
          "-.nan", "0:30",        "1:60",  "1:",  "1::1", "1:30:", "2026-1-2", "2026-11-20T", "2026-11-20 1:02",
          "1.2.3", "192.168.0.1", "1.0e+", "=",   "<<",   "-x",    "١"}) {
        EXPECT_EQ(plain_scalar_type(text), YamlType::string) << text;
    }
}

TEST(YamlText, ReadsIntegersBeyond64BitsRounded) {
    const auto fits = plain_integer("18446744073709551615");
    EXPECT_TRUE(fits.fits);
    EXPECT_EQ(fits.magnitude, std::numeric_limits<std::uint64_t>::max());
    const auto beyond = plain_integer("-18446744073709551616");
    EXPECT_FALSE(beyond.fits);
    EXPECT_DOUBLE_EQ(beyond.rounded, -18446744073709551616.0);
    EXPECT_FALSE(plain_integer("18446744073709551615:00").fits);
    EXPECT_EQ(plain_integer("1:01:01").magnitude, 3661U);
}

TEST(YamlText, ReadsFloatsAsPyYamlDoes) {
    EXPECT_DOUBLE_EQ(plain_floating("1_0.5"), 10.5);
    EXPECT_DOUBLE_EQ(plain_floating("-1.5e+3"), -1500);
    EXPECT_DOUBLE_EQ(plain_floating("1:30.5"), 90.5);
    EXPECT_DOUBLE_EQ(plain_floating("-1:00:00.25"), -3600.25);
    EXPECT_DOUBLE_EQ(plain_floating(".5"), 0.5);
    EXPECT_DOUBLE_EQ(plain_floating("1."), 1);
    EXPECT_EQ(plain_floating("1.0e+999"), std::numeric_limits<double>::infinity());
    EXPECT_EQ(plain_floating("1.0e-999"), 0);
    EXPECT_EQ(plain_floating("-.inf"), -std::numeric_limits<double>::infinity());
    EXPECT_TRUE(std::isnan(plain_floating(".nan")));
}

}  // namespace
}  // namespace trebuchet
