#include "provision/seed/cloud_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

nlohmann::json config_of(const FirstUser& user) {
    const auto text = user_data(user);
    constexpr std::string_view header = "#cloud-config\n";
    EXPECT_TRUE(std::string_view(text).starts_with(header));
    return nlohmann::json::parse(std::string_view(text).substr(header.size()));
}

TEST(CloudConfig, SetsThePasswordOfTheDefaultUser) {
    const auto config = config_of({"ubuntu", SecretString("pass: \"word\"")});
    EXPECT_EQ(config.at("password"), "pass: \"word\"");
    EXPECT_EQ(config.at("ssh_pwauth"), true);
    EXPECT_EQ(config.at("chpasswd").at("expire"), false);
}

TEST(CloudConfig, CreatesAnotherUserWithSudo) {
    const auto config = config_of({"admin", SecretString("secret")});
    EXPECT_EQ(config.at("users").at(0), "default");
    EXPECT_EQ(config.at("users").at(1).at("name"), "admin");
    EXPECT_EQ(config.at("users").at(1).at("plain_text_passwd"), "secret");
    EXPECT_EQ(sudoers_line({"admin", SecretString()}), "admin ALL=(ALL) NOPASSWD:ALL\n");
}

TEST(CloudConfig, IsTheDataOfTheDataSourceItselfForCore20) {
    const FirstUser user{"admin", SecretString("sec\nret")};
    const auto text = nocloud_config(user);
    const auto config = nlohmann::json::parse(std::string_view(text).substr(text.find('\n')));
    EXPECT_EQ(config.at("datasource_list"), nlohmann::json({"NoCloud", "None"}));
    EXPECT_EQ(config.at("datasource").at("NoCloud").at("user-data"), user_data(user).c_str());
    EXPECT_EQ(config.at("datasource").at("NoCloud").at("meta-data"), meta_data());
}

}  // namespace
}  // namespace trebuchet
