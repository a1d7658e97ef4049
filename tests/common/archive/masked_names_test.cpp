#include "common/archive/masked_names.hpp"

#include "tests/common/archive/archive_masks.hpp"
#include "tests/fakes/masked.hpp"

#include <set>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(MaskedNames, AreTheSameWithoutSecrets) {
    EXPECT_THAT(masked_names({"b", "a\n", "\xff"}, "top", no_masks()),
                ElementsAre(Pair("a\n", "a\n"), Pair("b", "b"), Pair("\xff", "\xff")));
}

TEST(MaskedNames, HideSecretsInNames) {
    const auto masks = masks_of({"hunter2"});
    const auto mask = mask_of(*masks, "hunter2");
    EXPECT_THAT(masked_names({"log-hunter2.txt", "plain"}, "top", *masks),
                ElementsAre(Pair("log-hunter2.txt", "log-" + mask + ".txt"), Pair("plain", "plain")));
}

TEST(MaskedNames, NumberNamesThatMaskingMakesEqual) {
    const auto masks = masks_of({"aaaa"});
    const auto mask = mask_of(*masks, "aaaa");
    EXPECT_THAT(masked_names({"aaaa", "aaaaa", "aaaaaa", mask}, "top", *masks),
                ElementsAre(Pair(mask, mask), Pair("aaaa", mask + ".1"), Pair("aaaaa", mask + ".2"),
                            Pair("aaaaaa", mask + ".3")));
}

TEST(MaskedNames, HideASecretThatSpansTwoPathComponents) {
    const auto masks = masks_of({"one/two", "top/secret"});
    EXPECT_THAT(masked_names({"two", "two2", "three"}, "top/one", *masks),
                ElementsAre(Pair("three", "three"), Pair("two", "masked"), Pair("two2", "masked.1")));
    EXPECT_THAT(masked_names({"secret"}, "top", *masks), ElementsAre(Pair("secret", "masked")));
}

TEST(MaskedNames, StayShortEnoughForAFileSystem) {
    const auto masks = masks_of({"aaa"});
    std::string name;
    while (name.size() < 250) name += "aaa-";
    const auto pairs = masked_names({name, name + "x"}, "top", *masks);
    std::set<std::string> archived;
    for (const auto& pair : pairs) {
        EXPECT_LE(pair.second.size(), 255U);
        EXPECT_EQ(pair.second.find("aaa-"), std::string::npos);
        archived.insert(pair.second);
    }
    EXPECT_EQ(archived.size(), 2U);
}

TEST(MaskedNames, HandleASecretThatEveryMaskContains) {
    const auto masks = masks_of({"*"}, 1);
    const auto pairs = masked_names({"a*b", "plain"}, mask_of(*masks, "*"), *masks);
    ASSERT_EQ(pairs.size(), 2U);
    EXPECT_EQ(pairs[0].second, "a" + mask_of(*masks, "*") + "b");
    EXPECT_EQ(pairs[1].second, "plain");
}

TEST(StaysInside, AllowsTargetsBelowTheTop) {
    for (const char* target : {"a", "a/b", "./a//b/", ".", "a..", "..."})
        EXPECT_TRUE(stays_inside(target, 0)) << target;
    EXPECT_TRUE(stays_inside("..", 1));
    EXPECT_TRUE(stays_inside("../../a", 2));
    EXPECT_TRUE(stays_inside("./../a", 1));
}

TEST(StaysInside, RefusesTargetsThatMayLeadOut) {
    for (const char* target : {"", "/", "/etc/passwd", "..", "../x", "a/../..", "a/.."}) {
        EXPECT_FALSE(stays_inside(target, 0)) << target;
    }
    EXPECT_FALSE(stays_inside("../../a", 1));
    EXPECT_FALSE(stays_inside("link/../../../x", 2));
}

}  // namespace
}  // namespace trebuchet
