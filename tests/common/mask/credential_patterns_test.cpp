#include "common/mask/credential_patterns.hpp"

#include "common/mask/compiled_credential_rules.hpp"
#include "common/mask/credential_rules.hpp"
#include "common/mask/credential_stream.hpp"
#include "common/mask/pattern_database.hpp"
#include "tests/common/mask/credential_samples.hpp"

#include <string>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

TEST(CredentialPatterns, RefusesAnUnknownNameWithASuggestion) {
    const auto patterns = CredentialPatterns::build({"jwt", "githup"}, std::make_shared<MaskText>(MaskHash::keyed));
    ASSERT_FALSE(patterns.has_value());
    EXPECT_EQ(patterns.error().message(),
              "unknown kind of credential \"githup\", expected private_key, url_password, authorization, aws, github, "
              "gitlab, slack, vault, jwt, registry, cloud, ai, payment or monitoring; did you mean github?");
}

TEST(CredentialPatterns, AcceptsTheNamesOfAllKinds) {
    for (std::size_t i = 0; i < credential_kind_names.size(); ++i) {
        EXPECT_EQ(name_of(static_cast<CredentialKind>(i)), credential_kind_names.at(i));
        EXPECT_TRUE(CredentialPatterns::build({std::string(credential_kind_names.at(i))},
                                              std::make_shared<MaskText>(MaskHash::keyed))
                        .has_value());
    }
}

TEST(CredentialPatterns, KeepsItsKindsWithOtherMasks) {
    const std::string text = "https://u:secret@host Authorization: Bearer abcDEF123";
    const auto keyed = std::make_shared<const MaskText>(MaskHash::keyed);
    CredentialStream stream(test::credential_patterns({"authorization"})->with(keyed));
    std::string out;
    stream.write_last(text, out);
    EXPECT_EQ(out, "https://u:" + keyed->of("secret") + "@host Authorization: Bearer abcDEF123");
}

TEST(CredentialPatterns, HasARuleForEveryKind) {
    for (std::size_t i = 0; i < credential_kind_names.size(); ++i) {
        bool found = false;
        for (const auto& rule : credential_rules()) found = found || rule.kind == static_cast<CredentialKind>(i);
        EXPECT_TRUE(found) << credential_kind_names.at(i);
    }
}

/// Else each start would compile them again.
TEST(CredentialPatterns, AreCompiledIntoTheProgram) {
    // Fails to compile, and so shows that what is compiled in was used.
    const std::vector<PatternDatabase::Expression> broken{{"(", false}};
    EXPECT_FALSE(PatternDatabase::of_expressions(broken));
    EXPECT_TRUE(PatternDatabase::of_expressions(broken, compiled_credential_rules()));
    const std::string damaged(compiled_credential_rules().front().size(), 'x');
    EXPECT_FALSE(PatternDatabase::of_expressions(broken, {damaged, ""}));
}

TEST(CredentialPatterns, RecognisesAMask) {
    EXPECT_TRUE(is_mask("**ab12cd**"));
    for (const auto* text : {"", "**ab12cd*", "**ab12cg**", "**AB12CD**", "**ab12cd** ", "*ab12cdd**"}) {
        EXPECT_FALSE(is_mask(text)) << text;
    }
}

}  // namespace
}  // namespace trebuchet
