#include "provision/seed/cloud_config.hpp"

#include "common/secret/secret_json.hpp"

namespace trebuchet {

WipedString user_data(const FirstUser& user) {
    const WipedString name(user.name);
    const WipedString password(user.password.reveal());
    SecretJson config{{"ssh_pwauth", true}, {"chpasswd", {{"expire", false}}}};
    if (user.name == "ubuntu") {
        // Every Ubuntu image creates this user by default, including images that ignore `users`.
        config["password"] = password;
    } else {
        config["users"] = SecretJson::array({"default",
                                             {{"name", name},
                                              {"plain_text_passwd", password},
                                              {"lock_passwd", false},
                                              {"shell", "/bin/bash"},
                                              {"sudo", "ALL=(ALL) NOPASSWD:ALL"}}});
    }
    WipedString text("#cloud-config\n");
    text += config.dump(2, ' ', false, SecretJson::error_handler_t::replace);
    text += '\n';
    return text;
}

std::string meta_data() {
    return "{\"instance-id\": \"trebuchet\"}\n";
}

WipedString nocloud_config(const FirstUser& user) {
    const auto data = user_data(user);
    const SecretJson config{{"datasource_list", SecretJson::array({"NoCloud", "None"})},
                            {"datasource", {{"NoCloud", {{"user-data", data}, {"meta-data", meta_data().c_str()}}}}}};
    WipedString text("#cloud-config\n");
    text += config.dump(2, ' ', false, SecretJson::error_handler_t::replace);
    text += '\n';
    return text;
}

std::string sudoers_line(const FirstUser& user) {
    return user.name + " ALL=(ALL) NOPASSWD:ALL\n";
}

}  // namespace trebuchet
