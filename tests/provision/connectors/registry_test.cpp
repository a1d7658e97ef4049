#include "provision/connectors/registry.hpp"

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

TEST(Registry, MakesEveryTypeThatItLists) {
    EXPECT_EQ(connector_types().size(), 18U) << "the reference's 16, command and qemu";
    for (const auto& type : connector_types()) EXPECT_NE(make_connector(type), nullptr) << type;
}

TEST(Registry, TakesOlderNamesAndDoesNotListThem) {
    for (const auto* name : {"zapper_iot", "zapper_kvm"}) {
        EXPECT_NE(make_connector(name), nullptr);
        for (const auto& type : connector_types()) EXPECT_NE(type, name);
    }
}

TEST(Registry, KnowsNoOtherType) {
    EXPECT_EQ(make_connector("toaster"), nullptr);
    EXPECT_EQ(make_connector(""), nullptr);
}

}  // namespace
}  // namespace trebuchet
