#include "agent/delivery/spool_record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(SpoolRecord, ATextComesBackWithItsPlace) {
    const auto payload = spool_text_head(Phase::cleanup, 0x0102030405060708) + "text";
    const auto record = parse_spool_record(payload);
    ASSERT_TRUE(record);
    const auto& text = std::get<SpoolText>(*record);
    EXPECT_EQ(text.phase, Phase::cleanup);
    EXPECT_EQ(text.position, 0x0102030405060708U);
    EXPECT_EQ(text.text, "text");
}

TEST(SpoolRecord, AStateComesBackWhole) {
    const SpoolState state{7, 100, {{Phase::test, 90}}, SpooledFragment{6, "2027-01-15T08:00:00", Phase::test, 120}};
    const auto record = parse_spool_record(spool_state_payload(state));
    ASSERT_TRUE(record);
    const auto& read = std::get<SpoolState>(*record);
    EXPECT_EQ(read.next_number, 7U);
    EXPECT_EQ(read.confirmed, 100U);
    EXPECT_THAT(read.shown_bytes, ElementsAre(Pair(Phase::test, 90U)));
    ASSERT_TRUE(read.under_way);
    EXPECT_EQ(read.under_way->number, 6U);
    EXPECT_EQ(read.under_way->timestamp, "2027-01-15T08:00:00");
    EXPECT_EQ(read.under_way->phase, Phase::test);
    EXPECT_EQ(read.under_way->end, 120U);
}

TEST(SpoolRecord, WhatMakesNoSenseIsNone) {
    for (const std::string_view payload :
         {std::string_view(""), std::string_view("X"), std::string_view("T"),
          std::string_view("T\x01\0\0\0\0\0\0\0\0", 10), std::string_view("T\x09\0\0\0\0\0\0\0\0x", 11),
          std::string_view("T\x01\0\0\0\0\0\0\0\xFFx", 11), std::string_view("S"), std::string_view("S[]"),
          std::string_view("S{}"),
          std::string_view(R"(S{"next_number":-1,"confirmed":0,"shown_bytes":{},"under_way":null})"),
          std::string_view(R"(S{"next_number":1,"confirmed":0,"shown_bytes":{"walk":1},"under_way":null})"),
          std::string_view(R"(S{"next_number":1,"confirmed":0,"shown_bytes":7,"under_way":null})"),
          std::string_view(R"(S{"next_number":1,"confirmed":9,"shown_bytes":{},"under_way":)"
                           R"({"number":0,"timestamp":"x","phase":"test","end":9}})"),
          std::string_view(R"(S{"next_number":1,"confirmed":0,"shown_bytes":{},"under_way":)"
                           R"({"number":0,"timestamp":7,"phase":"test","end":9}})")}) {
        EXPECT_FALSE(parse_spool_record(payload)) << payload;
    }
}

}  // namespace
}  // namespace trebuchet
