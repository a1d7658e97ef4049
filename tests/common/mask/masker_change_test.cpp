#include "common/mask/masker.hpp"
#include "tests/fakes/masked.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::HasSubstr;
using testing::Not;

NamedSecret secret(const std::string& name, std::string_view value) {
    return {name, SecretString(value)};
}

std::vector<NamedSecret> one(const std::string& name, std::string_view value) {
    std::vector<NamedSecret> secrets;
    secrets.push_back(secret(name, value));
    return secrets;
}

std::string text(const MaskedChunk& chunk) {
    return std::string(chunk.bytes());
}

TEST(MaskSetWithMore, KeepsExistingMasksAndAddsNewOnes) {
    const auto first = MaskSet::build(one("A", "hunter22")).value();
    const auto more = first->with(one("B", "swordfish")).value();
    EXPECT_EQ(text(more->mask("hunter22")), text(first->mask("hunter22")));
    EXPECT_THAT(text(more->mask("a swordfish")), Not(HasSubstr("swordfish")));
    EXPECT_EQ(text(first->mask("a swordfish")), "a swordfish");
    const auto most = more->with(one("C", "trebuchet")).value();
    EXPECT_EQ(text(most->mask("swordfish")), text(more->mask("swordfish")));
    EXPECT_THAT(text(most->mask("hunter22 trebuchet")), Not(HasSubstr("trebuchet")));
}

TEST(MaskSetWithMore, NamesWhatIsTooShort) {
    const auto more = MaskSet::build(one("A", "x")).value()->with(one("B", "yz")).value();
    EXPECT_THAT(more->too_short(), testing::UnorderedElementsAre("A", "B"));
}

TEST(MaskSetWithMore, MayStartFromNothing) {
    const auto set = no_masks().with(one("A", "hunter22")).value();
    EXPECT_THAT(text(set->mask("hunter22")), Not(HasSubstr("hunter")));
}

TEST(MaskerChange, MasksValuesInHeldBytes) {
    const auto first = MaskSet::build(one("A", "hunter22")).value();
    const auto more = first->with(one("B", "swordfish")).value();
    for (std::size_t cut = 1; cut < 8; ++cut) {
        Masker masker(first);
        const std::string value = "hunter22";
        auto out = text(masker.write("log in as " + value.substr(0, cut)));
        out += text(masker.change_set(more));
        out += text(masker.write(value.substr(cut) + " swordfish\n"));
        out += text(masker.finish());
        EXPECT_EQ(out, "log in as " + text(first->mask(value)) + " " + text(more->mask("swordfish")) + "\n") << cut;
    }
}

TEST(MaskerChange, HoldsBackForTheNewValues) {
    Masker masker(MaskSet::none());
    auto out = text(masker.write("first sword"));
    const auto more = no_masks().with(one("B", "swordfish")).value();
    out += text(masker.change_set(more));
    out += text(masker.write("s, then a sword"));
    EXPECT_EQ(out, "first swords, then a ");
    out += text(masker.write("fish"));
    out += text(masker.finish());
    EXPECT_EQ(out, "first swords, then a " + text(more->mask("swordfish")));
}

TEST(MaskerChange, KeepsWhatIsHeldOverManySmallWrites) {
    const auto first = MaskSet::build(one("A", "abcdefghijklmnop")).value();
    Masker masker(first);
    std::string out;
    for (const char c : std::string("xyabcdefgh")) out += text(masker.write(std::string(1, c)));
    EXPECT_EQ(out, "xy");
    out += text(masker.change_set(first->with(one("B", "other value")).value()));
    out += text(masker.write("ijklmnop."));
    out += text(masker.finish());
    EXPECT_EQ(out, "xy" + text(first->mask("abcdefghijklmnop")) + ".");
}

TEST(MaskerChange, ShowsNothingOfAValueWithAnEmittedMask) {
    const auto first = MaskSet::build(one("A", "aaa")).value();
    Masker masker(first);
    const auto mask = std::string(masker.write("aaaa").bytes());
    EXPECT_EQ(mask.size(), 10U);
    EXPECT_EQ(masker.held(), 2U) << "the next value may begin inside the masked one";
    EXPECT_EQ(masker.change_set(first->with(one("B", "swordfish")).value()).bytes(), "");
    EXPECT_EQ(masker.write("a").bytes(), "");
    EXPECT_EQ(masker.write("x").bytes(), "x");
}

}  // namespace
}  // namespace trebuchet
