#include "provision/power/qmp_power.hpp"

#include "provision/power/qmp_client.hpp"
#include "tests/fakes/temporary_folder.hpp"
#include "tests/provision/support/qmp_server.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(QmpMessageTest, IsRecognisedByItsKey) {
    EXPECT_EQ(parse_qmp_message(R"({"QMP": {"version": {}}})")->kind, QmpMessage::Kind::greeting);
    EXPECT_EQ(parse_qmp_message(R"({"return": {"running": true}})")->result.at("running"), true);
    const auto error = parse_qmp_message(R"({"error": {"class": "GenericError", "desc": "no such snapshot"}})");
    EXPECT_EQ(error->kind, QmpMessage::Kind::error);
    EXPECT_EQ(error->text, "no such snapshot");
    EXPECT_EQ(parse_qmp_message(R"({"event": "RESET", "data": {}})")->text, "RESET");
}

TEST(QmpMessageTest, RefusesOtherText) {
    for (const auto* text : {"", "x", "[]", "{}", "{\"return\"", "\xff", "5"}) {
        EXPECT_FALSE(parse_qmp_message(text)) << text;
    }
    for (const auto* text : {R"({"error": 5})", R"({"error": {"desc": []}})", R"({"event": 5})"}) {
        EXPECT_TRUE(parse_qmp_message(text)) << text;
    }
}

class QmpPowerTest : public testing::Test {
  protected:
    TemporaryFolder folder_;
    QmpServer server_{folder_ / "qmp"};
    QmpPower power_{folder_ / "qmp"};
};

TEST_F(QmpPowerTest, HaltsAndResetsTheDevice) {
    EXPECT_EQ(power_.state().value(), PowerState::on);
    ASSERT_TRUE(power_.off());
    EXPECT_EQ(power_.state().value(), PowerState::off);
    ASSERT_TRUE(power_.on());
    EXPECT_EQ(power_.state().value(), PowerState::on);
    EXPECT_THAT(server_.actions(), ElementsAre("stop", "stop", "system_reset", "cont"));
}

TEST_F(QmpPowerTest, DoesNotResetADeviceThatIsOn) {
    ASSERT_TRUE(power_.on());
    EXPECT_THAT(server_.actions(), IsEmpty());
    ASSERT_TRUE(power_.cycle());
    EXPECT_THAT(server_.actions(), ElementsAre("stop", "system_reset", "cont"));
}

TEST_F(QmpPowerTest, ReportsThatQemuRefusedACommand) {
    server_.refuse("stop");
    const auto done = power_.off();
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().kind, PowerError::Kind::failed);
    EXPECT_THAT(done.error().message, HasSubstr("refuses stop: not today"));
}

TEST_F(QmpPowerTest, ReportsThatQemuDoesNotRun) {
    QmpPower power(folder_ / "missing");
    const auto done = power.off();
    ASSERT_FALSE(done);
    EXPECT_THAT(done.error().message, HasSubstr("is it running?"));
}

TEST_F(QmpPowerTest, ReportsAPathThatIsTooLong) {
    const auto client = QmpClient::connect(std::string(200, 'x'));
    ASSERT_FALSE(client);
    EXPECT_THAT(client.error().message(), HasSubstr("too long"));
}

TEST_F(QmpPowerTest, ReturnsTheMonitorsOutput) {
    auto client = QmpClient::connect(folder_ / "qmp");
    ASSERT_TRUE(client);
    EXPECT_EQ(client->monitor("info version").value(), "ran info version");
}

TEST_F(QmpPowerTest, TimesOutWhileAnotherClientIsConnected) {
    const auto first = QmpClient::connect(folder_ / "qmp");
    ASSERT_TRUE(first);
    const auto second = QmpClient::connect(folder_ / "qmp", 10ms);
    ASSERT_FALSE(second);
    EXPECT_THAT(second.error().message(), HasSubstr("another client"));
}

}  // namespace
}  // namespace trebuchet
