#pragma once

#include "common/secret/secret_string.hpp"

#include <string>

namespace trebuchet {

/// Whom a test logs in as.
struct FirstUser {
    std::string name;
    SecretString password;
};

/// cloud-init's user-data that lets this user in by ssh with the password, and use sudo without one. JSON, which is
/// YAML too, so that no value can be taken for anything else.
[[nodiscard]] WipedString user_data(const FirstUser& user);

[[nodiscard]] std::string meta_data();

/// A line for sudoers.
[[nodiscard]] std::string sudoers_line(const FirstUser& user);

}  // namespace trebuchet
