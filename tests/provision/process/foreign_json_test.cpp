#include "provision/process/foreign_json.hpp"

#include <string>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

TEST(ForeignJson, RefusesWhatIsNoJsonOrTooDeep) {
    EXPECT_EQ(parse_foreign_json(R"({"a": [1]})"), (nlohmann::json{{"a", {1}}}));
    EXPECT_TRUE(parse_foreign_json("<html>").is_discarded());
    EXPECT_TRUE(parse_foreign_json("").is_discarded());
    EXPECT_FALSE(parse_foreign_json(std::string(90, '[') + std::string(90, ']')).is_discarded());
    EXPECT_TRUE(parse_foreign_json(std::string(200, '[') + std::string(200, ']')).is_discarded());
    EXPECT_TRUE(parse_foreign_json(std::string(500'000, '[')).is_discarded());
}

}  // namespace
}  // namespace trebuchet
