#include "provision/config/connector_config.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace trebuchet {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::StartsWith;

ConnectorConfig parse(const std::string& text) {
    auto config = parse_connector_config(text, "default.yaml");
    EXPECT_TRUE(config) << config.error().front();
    return std::move(config).value_or(ConnectorConfig{});
}

std::vector<std::string> problems_of(const std::string& text) {
    auto loaded = parse_connector_config(text, "default.yaml");
    return loaded ? std::vector<std::string>() : loaded.error();
}

TEST(ConnectorConfig, ReadsTheCommonKeys) {
    const auto config = parse(
        "agent_name: board-1\n"
        "device_ip: 10.0.0.7\n"
        "device_port: 2222\n"
        "reboot_script:\n  - snmpset off\n  - snmpset on\n"
        "poweroff_script: [off]\n"
        "poweron_script: [a, b]\n"
        "serial_host: ser2net\n"
        "serial_port: 2001\n"
        "control_host: 10.0.0.1\n"
        "control_user: pi\n"
        "env:\n  WIFI: lab\n  COUNT: 5\n");
    EXPECT_EQ(config.agent_name, "board-1");
    EXPECT_EQ(config.device_ip, "10.0.0.7");
    EXPECT_EQ(config.device_port, 2222);
    EXPECT_THAT(config.reboot_script, ElementsAre("snmpset off", "snmpset on"));
    EXPECT_THAT(config.poweron_script, ElementsAre("a", "b"));
    EXPECT_EQ(config.serial_host, "ser2net");
    EXPECT_EQ(config.serial_port, 2001);
    EXPECT_EQ(config.control_host, "10.0.0.1");
    EXPECT_EQ(config.control_user, "pi");
    EXPECT_THAT(config.env, ElementsAre(Pair("COUNT", "5"), Pair("WIFI", "lab")));
}

TEST(ConnectorConfig, AcceptsAnEmptyFileAndEmptyValues) {
    EXPECT_EQ(parse("").agent_name, "");
    const auto config = parse("agent_name:\nserial_host: \"\"\nserial_port: \"\"\nenv:\nreboot_script:\n");
    EXPECT_EQ(config.serial_port, 0);
    EXPECT_THAT(config.env, IsEmpty());
}

TEST(ConnectorConfig, AcceptsAQuotedPortAndASingleCommand) {
    const auto config = parse("serial_port: '2001'\nreboot_script: reset it\n");
    EXPECT_EQ(config.serial_port, 2001);
    EXPECT_THAT(config.reboot_script, ElementsAre("reset it"));
}

TEST(ConnectorConfig, AVariableWithoutValueIsEmpty) {
    EXPECT_THAT(parse("env: {A: , B: \"\"}\n").env, ElementsAre(Pair("A", ""), Pair("B", "")));
}

TEST(ConnectorConfig, KeepsScalarsAsTheyAreWritten) {
    const auto config = parse("device_ip: 10.0.0.7\ntest_device: /dev/sda\ntimeout_min: 060\nenv: {A: b}\n");
    EXPECT_THAT(config.scalars, ElementsAre(Pair("device_ip", "10.0.0.7"), Pair("test_device", "/dev/sda"),
                                            Pair("timeout_min", "060")));
}

TEST(ConnectorConfig, ReturnsEveryProblemWithLineAndColumn) {
    const auto problems = problems_of(
        "agent_name: [a]\nserial_port: http\nserial_host: x\ndevice_port: 70000\nreboot_script: {a: b}\nenv: [A]\n");
    EXPECT_THAT(
        problems,
        ElementsAre(StartsWith("default.yaml:1:13: agent_name: "), StartsWith("default.yaml:2:14: serial_port: "),
                    StartsWith("default.yaml:4:14: device_port: "), StartsWith("default.yaml:5:16: reboot_script: "),
                    StartsWith("default.yaml:6:6: env: ")));
}

TEST(ConnectorConfig, RefusesInvalidVariableNames) {
    EXPECT_THAT(problems_of("env: {'A=B': c}\n"), ElementsAre(StartsWith("default.yaml:1:7: env: ")));
    EXPECT_THAT(problems_of("env: {'': c}\n"), Not(IsEmpty()));
    EXPECT_THAT(problems_of("env: {A: [b]}\n"), Not(IsEmpty()));
}

TEST(ConnectorConfig, RefusesAnythingButAMap) {
    EXPECT_THAT(problems_of("- a\n"), ElementsAre(StartsWith("default.yaml:1:1: ")));
    EXPECT_THAT(problems_of("a: [\n"), ElementsAre(StartsWith("default.yaml:")));
}

}  // namespace
}  // namespace trebuchet
