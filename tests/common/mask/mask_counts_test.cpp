#include "common/mask/mask_counts.hpp"

#include "common/mask/credential_patterns.hpp"
#include "common/mask/mask_text.hpp"
#include "common/mask/masker.hpp"
#include "tests/common/mask/masked_text.hpp"

#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::ElementsAre;
using testing::FieldsAre;
using testing::IsEmpty;

using Line = std::tuple<std::string, std::string, std::uint64_t>;

std::vector<Line> lines(const MaskCounts& counts) {
    std::vector<Line> all;
    for (const auto& [key, times] : counts.sorted()) all.emplace_back(key.name, name_of(key.form), times);
    return all;
}

std::shared_ptr<const MaskSet> named_set(const std::vector<std::pair<std::string, std::string>>& values,
                                         const MaskOptions& options = {}) {
    std::vector<NamedSecret> secrets;
    secrets.reserve(values.size());
    for (const auto& [name, value] : values) secrets.push_back({name, SecretString(value)});
    return MaskSet::build(std::move(secrets), options).value();
}

MaskOptions with_credentials() {
    MaskOptions options;
    options.credentials = CredentialPatterns::build({}, std::make_shared<const MaskText>(MaskHash::sha256)).value();
    return options;
}

/// What is counted where each byte is written by itself.
std::vector<Line> counted(const std::shared_ptr<const MaskSet>& set, std::string_view text) {
    const auto counts = std::make_shared<MaskCounts>();
    Masker masker(set, counts);
    for (const char c : text) (void)masker.write({&c, 1});
    (void)masker.finish();
    MaskCounts whole;
    (void)set->mask(text, &whole);
    EXPECT_EQ(lines(whole), lines(*counts)) << "as a complete text";
    return lines(*counts);
}

TEST(MaskCounts, CountPerNameAndForm) {
    const auto set = named_set({{"TOKEN", "Zk3vQ9rT7mXw"}, {"PASSWORD", "pässwörd &"}});
    EXPECT_THAT(counted(set, "Zk3vQ9rT7mXw 5a6b337651397254376d5877 Zk3vQ9rT7mXw p\xC3\xA4ssw\xC3\xB6rd &amp;"),
                ElementsAre(FieldsAre("PASSWORD", "XML and HTML entities", 1), FieldsAre("TOKEN", "as it is", 2),
                            FieldsAre("TOKEN", "hex", 1)));
    EXPECT_THAT(counted(set, "nothing"), IsEmpty());
}

TEST(MaskCounts, CountARunForItsLeftmostThenLongestValue) {
    const auto set = named_set({{"A", "secret"}, {"B", "secretsauce"}, {"C", "saucepan"}});
    EXPECT_THAT(counted(set, "secretsaucepan, saucepan"),
                ElementsAre(FieldsAre("B", "as it is", 1), FieldsAre("C", "as it is", 1)));
}

TEST(MaskCounts, CountAValueInterruptedByLineEnds) {
    EXPECT_THAT(counted(named_set({{"A", "secret"}}), "sec\nret"), ElementsAre(FieldsAre("A", "as it is", 1)));
}

TEST(MaskCounts, CountAValueOfTwoNamesForTheFirst) {
    EXPECT_THAT(counted(named_set({{"B", "secret"}, {"A", "secret"}}), "secret"),
                ElementsAre(FieldsAre("B", "as it is", 1)));
    std::vector<NamedSecret> more;
    more.push_back({"C", SecretString("secret")});
    EXPECT_THAT(counted(named_set({{"B", "secret"}})->with(std::move(more)).value(), "secret"),
                ElementsAre(FieldsAre("B", "as it is", 1)));
}

TEST(MaskCounts, CountWellKnownCredentialsByTheirKind) {
    const auto set = named_set({{"A", "secret"}}, with_credentials());
    EXPECT_THAT(counted(set, "ghp_0123456789abcdefghijABCDEFGHIJ012345 secret"),
                ElementsAre(FieldsAre("A", "as it is", 1), FieldsAre("well-known credential github", "as it is", 1)));
}

TEST(MaskCounts, ContinueWhenTheSetChanges) {
    const auto counts = std::make_shared<MaskCounts>();
    const auto first = named_set({{"A", "secret"}}, with_credentials());
    std::vector<NamedSecret> more;
    more.push_back({"B", SecretString("other")});
    Masker masker(first, counts);
    (void)masker.write("secret sec");
    (void)masker.change_set(first->with(std::move(more)).value());
    (void)masker.write("ret other ghp_0123456789abcdefghijABCDEFGHIJ012345 ");
    EXPECT_THAT(lines(*counts), ElementsAre(FieldsAre("A", "as it is", 2), FieldsAre("B", "as it is", 1),
                                            FieldsAre("well-known credential github", "as it is", 1)));
}

TEST(MaskCounts, AddUp) {
    MaskCounts one;
    one.add("A", Form::hex, 2);
    MaskCounts other;
    other.add("A", Form::hex);
    other.add("A", Form::exact);
    other.add(CredentialKind::jwt);
    one.merge(other);
    EXPECT_THAT(lines(one), ElementsAre(FieldsAre("A", "as it is", 1), FieldsAre("A", "hex", 3),
                                        FieldsAre("well-known credential jwt", "as it is", 1)));
    EXPECT_EQ(one.total(), 5U);
    EXPECT_FALSE(one.empty());
    EXPECT_TRUE(MaskCounts().empty());
}

}  // namespace
}  // namespace trebuchet
