#include "common/base/text.hpp"
#include "tests/common/mask/masked_text.hpp"

#include <fstream>
#include <map>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

/// What Python, bash, dash and xxd print (make_forms.py), and what is to become of it.
const nlohmann::json& recorded_forms() {
    static const auto forms = nlohmann::json::parse(std::ifstream(TREBUCHET_MASK_FORMS));
    return forms;
}

std::shared_ptr<const MaskSet> set_of_one(const std::string& value) {
    static std::map<std::string, std::shared_ptr<const MaskSet>> sets;
    auto& set = sets[value];
    if (!set) set = test::set_of({value});
    return set;
}

TEST(Forms, AreMaskedAsTheyArePrintedByOtherPrograms) {
    ASSERT_GT(recorded_forms().size(), 500U);
    for (const auto& form : recorded_forms()) {
        const std::string secret = form["secret"];
        const std::string text = form["text"];
        EXPECT_EQ(test::with_masks_as_m(set_of_one(secret)->mask(text).bytes()), form["masked"])
            << form["case"] << " of " << quoted(secret) << " in " << quoted(text, 2000);
    }
}

TEST(Forms, AreMaskedHoweverWritesSplitThem) {
    for (const auto& form : recorded_forms()) {
        const auto set = set_of_one(form["secret"]);
        const std::string text = form["text"];
        const auto result = test::fed_in_pieces(set, {text});
        EXPECT_EQ(test::fed_in_pieces(set, test::cut_at_random(text, 1, 0)), result) << form["case"] << quoted(text);
        for (std::size_t cut = 1; cut < std::min<std::size_t>(text.size(), 100); ++cut) {
            const auto view = std::string_view(text);
            EXPECT_EQ(test::fed_in_pieces(set, {view.substr(0, cut), view.substr(cut)}), result)
                << form["case"] << " cut at " << cut << " in " << quoted(text);
        }
    }
}

}  // namespace
}  // namespace trebuchet
