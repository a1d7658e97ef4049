#pragma once

#include "common/secret/secret_string.hpp"

#include <string>

namespace trebuchet {

/// The user that tests log in as.
struct FirstUser {
    std::string name;
    SecretString password;
};

/// cloud-init user-data: the user can log in by ssh with the password and use sudo without one. Written as JSON, which
/// is valid YAML, so that no value needs YAML quoting.
[[nodiscard]] WipedString user_data(const FirstUser& user);

[[nodiscard]] std::string meta_data();

/// For a file in cloud.cfg.d of Ubuntu Core 20 and later: both of them as the data source NoCloud, which needs no other
/// file then.
[[nodiscard]] WipedString nocloud_config(const FirstUser& user);

/// A line for sudoers.
[[nodiscard]] std::string sudoers_line(const FirstUser& user);

}  // namespace trebuchet
