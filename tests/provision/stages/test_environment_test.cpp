#include "provision/stages/test_environment.hpp"

#include <optional>
#include <string>

#include <gtest/gtest.h>

namespace trebuchet {
namespace {

std::optional<std::string> value_of(const Environment& environment, const std::string& name) {
    const auto found = environment.variables().find(name);
    if (found == environment.variables().end()) return std::nullopt;
    return std::string(found->second.reveal());
}

Environment own() {
    Environment environment;
    environment.set("HOME", "/home/lab");
    environment.set("EMPTY", "");
    environment.set("AGENT_NAME", "inherited");
    return environment;
}

TEST(TestEnvironment, AddsVariablesFromTheConfiguration) {
    ConnectorConfig config;
    config.agent_name = "board-1";
    config.device_ip = "10.0.0.7";
    config.device_port = 2222;
    config.reboot_script = {"off", "on"};
    config.env = {{"WIFI", "lab"}, {"HOME", "/elsewhere"}};
    const auto environment = test_environment(own(), config, {});
    EXPECT_EQ(value_of(environment, "AGENT_NAME"), "board-1");
    EXPECT_EQ(value_of(environment, "DEVICE_IP"), "10.0.0.7");
    EXPECT_EQ(value_of(environment, "DEVICE_PORT"), "2222");
    EXPECT_EQ(value_of(environment, "REBOOT_SCRIPT"), "off;on");
    EXPECT_EQ(value_of(environment, "WIFI"), "lab");
    EXPECT_EQ(value_of(environment, "HOME"), "/elsewhere");
    EXPECT_EQ(value_of(environment, "EMPTY"), std::nullopt);
}

TEST(TestEnvironment, EnvOverridesDeviceIpButNotTheAgentsName) {
    ConnectorConfig config;
    config.agent_name = "board-1";
    config.device_ip = "10.0.0.7";
    config.env = {{"DEVICE_IP", "192.168.1.1"}, {"AGENT_NAME", "other"}};
    const auto environment = test_environment(own(), config, {});
    EXPECT_EQ(value_of(environment, "DEVICE_IP"), "192.168.1.1");
    EXPECT_EQ(value_of(environment, "AGENT_NAME"), "board-1");
}

TEST(TestEnvironment, AnEmptyValueOfTheConfigurationUnsets) {
    ConnectorConfig config;
    config.env = {{"HOME", ""}, {"NEW", ""}};
    const auto environment = test_environment(own(), config, {});
    EXPECT_EQ(value_of(environment, "HOME"), std::nullopt);
    EXPECT_EQ(value_of(environment, "NEW"), std::nullopt);
    EXPECT_EQ(value_of(environment, "AGENT_NAME"), std::nullopt);
    EXPECT_EQ(value_of(environment, "REBOOT_SCRIPT"), std::nullopt);
    EXPECT_EQ(value_of(environment, "DEVICE_IP"), std::nullopt);
    EXPECT_EQ(value_of(environment, "DEVICE_PORT"), std::nullopt);
}

TEST(TestEnvironment, SecretsComeLastEmptyOnesStaySetAndNullUnsets) {
    ConnectorConfig config;
    config.env = {{"TOKEN", "from env"}};
    JobSecrets secrets;
    secrets["TOKEN"] = SecretString("s3cret");
    secrets["EXPIRED"] = SecretString("");
    secrets["HOME"] = std::nullopt;
    const auto environment = test_environment(own(), config, secrets);
    EXPECT_EQ(value_of(environment, "TOKEN"), "s3cret");
    EXPECT_EQ(value_of(environment, "EXPIRED"), "");
    EXPECT_EQ(value_of(environment, "HOME"), std::nullopt);
}

}  // namespace
}  // namespace trebuchet
