#pragma once

#include "common/base/result.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace trebuchet {

/// An instance is the agent of one device as a service of systemd: the unit trebuchet-agent@NAME, the folder
/// /etc/trebuchet/NAME with its configuration, and a user of its own.
struct NewInstance {
    std::string name;    ///< also the agent's ID
    std::string server;  ///< URL
    std::vector<std::string> queues;
    std::string connector = "noprovision";  ///< a type of trebuchet-provision
    std::string client_id{};                ///< empty: the agent uses a token file
    std::filesystem::path key_file{};       ///< copied; its text never is an argument
    std::filesystem::path ca_file{};
};

/// A name of at most 64 letters, digits, '.', '_' and '-' that begins with a letter or digit; else the Error says so.
[[nodiscard]] Result<void> check_instance_name(const std::string& name);

/// "trebuchet-NAME" where a user can have this name; else one with its valid part and six digits that belong to the
/// name: "trebuchet-audino-lab-7-3f9a1c" of "Audino.Lab_7".
[[nodiscard]] std::string user_of_instance(const std::string& name);

/// testflinger-agent.conf of a new instance, with comments.
[[nodiscard]] std::string instance_configuration(const NewInstance& instance);

/// `trebuchet-agent instance …`. `root`: "/"; in tests, another root folder, whose users and units are used. Each
/// prints what it did and what to do next, and returns the exit code.
int add_instance(const NewInstance& instance, const std::filesystem::path& root);
int list_instances(const std::filesystem::path& root);
/// `purge`: also what the agent keeps in /var/lib/trebuchet/NAME, such as results that were not delivered.
int remove_instance(const std::string& name, bool purge, const std::filesystem::path& root);

}  // namespace trebuchet
