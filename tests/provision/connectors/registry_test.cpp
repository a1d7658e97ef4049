#include "provision/connectors/registry.hpp"

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

TEST(Registry, MakesEveryTypeThatItLists) {
    for (const auto& type : connector_types()) EXPECT_NE(make_connector(type), nullptr) << type;
}

TEST(Registry, KnowsNoOtherType) {
    EXPECT_EQ(make_connector("toaster"), nullptr);
    EXPECT_EQ(make_connector(""), nullptr);
}

}  // namespace
}  // namespace trebuchet
