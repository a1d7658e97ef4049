#include "common/mask/secret_forms.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> trimmed_forms_of(std::string_view value, std::size_t min_length = 3) {
    std::vector<std::string> forms;
    for (const auto& form : derived_forms(value, min_length)) {
        if (form.form == Form::trimmed) forms.emplace_back(form.bytes.reveal());
    }
    return forms;
}

TEST(SecretForms, TrimNothingFromAPlainValue) {
    EXPECT_THAT(trimmed_forms_of("plain value"), IsEmpty());
    EXPECT_THAT(trimmed_forms_of(""), IsEmpty());
}

TEST(SecretForms, OmitSurroundingBlanksAndLineEnds) {
    EXPECT_THAT(trimmed_forms_of("value\n"), ElementsAre("value"));
    EXPECT_THAT(trimmed_forms_of("\t two words \r\n"), ElementsAre("two words"));
}

TEST(SecretForms, OmitOnePairOfQuotes) {
    EXPECT_THAT(trimmed_forms_of("\"value\""), ElementsAre("value"));
    EXPECT_THAT(trimmed_forms_of("''value''"), ElementsAre("'value'"));
    EXPECT_THAT(trimmed_forms_of("\"value'"), IsEmpty());
    EXPECT_THAT(trimmed_forms_of("\"value"), IsEmpty());
}

TEST(SecretForms, OmitBlanksAroundAndWithinQuotes) {
    EXPECT_THAT(trimmed_forms_of(" \" value \"\n"), ElementsAre("\" value \"", " value ", "value"));
}

TEST(SecretForms, AreNotShorterThanTheMinimum) {
    EXPECT_THAT(trimmed_forms_of("\"ab\"\n"), ElementsAre("\"ab\""));
    EXPECT_THAT(trimmed_forms_of("\"ab\"\n", 2), ElementsAre("\"ab\"", "ab"));
    EXPECT_THAT(trimmed_forms_of("\n", 0), IsEmpty());
}

TEST(SecretForms, KnowTheCoreOfAValue) {
    EXPECT_EQ(core_of(" ' value ' \n"), "value");
    EXPECT_EQ(core_of(" \n"), "");
    EXPECT_EQ(core_of("\""), "\"");
    EXPECT_EQ(core_of("''"), "");
}

}  // namespace
}  // namespace trebuchet
