#include "agent/cli/instance_command.hpp"

#include "agent/cli/exit_codes.hpp"
#include "agent/cli/run_program.hpp"
#include "agent/config/load_config.hpp"
#include "agent/import/user_entry.hpp"
#include "common/base/system_text.hpp"
#include "common/base/text.hpp"
#include "common/file/safe_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <iomanip>
#include <iostream>
#include <memory>
#include <string_view>
#include <utility>

#include <sys/stat.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t longest_name = 64;
constexpr std::size_t longest_user = 31;  // systemd-sysusers(8) takes no longer one
constexpr std::size_t longest_key = 4096;
constexpr std::string_view user_prefix = "trebuchet-";
constexpr std::array stages{std::pair{"provision_command", "provision"}, std::pair{"test_command", "runtest"},
                            std::pair{"reserve_command", "reserve"}, std::pair{"cleanup_command", "cleanup"}};

/// Where the files of an instance are, below `root`.
struct Places {
    fs::path root;
    std::string name;
    [[nodiscard]] std::string unit() const { return "trebuchet-agent@" + name + ".service"; }
    [[nodiscard]] fs::path folder() const { return root / "etc/trebuchet" / name; }
    [[nodiscard]] fs::path configuration() const { return folder() / "testflinger-agent.conf"; }
    [[nodiscard]] fs::path users() const { return root / "etc/sysusers.d" / ("trebuchet-" + name + ".conf"); }
    [[nodiscard]] fs::path drop_ins() const { return root / "etc/systemd/system" / (unit() + ".d"); }
    [[nodiscard]] fs::path status() const { return root / "run/trebuchet-status" / name; }
    [[nodiscard]] fs::path state() const { return root / "var/lib/trebuchet" / name; }
    [[nodiscard]] bool is_running_system() const { return root == "/"; }
};

void complain(const std::string& text) {
    std::cerr << "trebuchet-agent instance: " << text << '\n';
}

/// A YAML scalar: JSON's strings are.
std::string scalar(const std::string& text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string list_of(const std::vector<std::string>& items) {
    std::string text;
    for (const auto& item : items) text += (text.empty() ? "" : ", ") + scalar(item);
    return "[" + text + "]";
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool fits_user(std::string_view text) {
    return std::all_of(text.begin(), text.end(),
                       [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_'; });
}

/// Six hexadecimal digits of FNV-1a, 32 bits.
std::string six_digits_of(std::string_view text) {
    std::uint32_t hash = 2166136261U;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
    std::array<char, 9> digits{};
    std::snprintf(digits.data(), digits.size(), "%08x", hash);
    return std::string(digits.data(), 6);
}

std::vector<std::string> with_root(std::vector<std::string> arguments, const Places& places) {
    if (!places.is_running_system()) arguments.push_back("--root=" + places.root.string());
    return arguments;
}

Result<void> give(const fs::path& path, const UserEntry& ids, mode_t mode) {
    if (::chown(path.c_str(), ids.user, ids.group) == 0 && ::chmod(path.c_str(), mode) == 0) return {};
    return fail("cannot give " + path.string() + " to its user: " + system_text(errno));
}

std::string device_file(const NewInstance& instance) {
    return "# The device of the agent " + instance.name + ". All keys: trebuchet-provision " + instance.connector +
           " --help\n# Check it: trebuchet-provision check -c /etc/trebuchet/" + instance.name + "/default.yaml " +
           instance.connector + "\nagent_name: " + scalar(instance.name) + "\n# device_ip: 192.0.2.7\n";
}

Result<void> make_user(const Places& places, const std::string& user) {
    const auto line =
        "u " + user + " - \"Trebuchet agent " + places.name + "\" /var/lib/trebuchet/" + places.name + "\n";
    if (auto made = make_folder(places.users().parent_path()); !made) return made;
    if (auto written = write_file(places.users(), line); !written) return written;
    if (const int code = run_program(with_root({"systemd-sysusers", places.users().string()}, places)); code != 0) {
        return fail("systemd-sysusers could not make the user " + user + ": it exited with " + std::to_string(code));
    }
    return {};
}

/// The unit's own name for the user fits most instances.
Result<void> name_the_user(const Places& places, const std::string& user) {
    if (user == std::string(user_prefix) + places.name) return {};
    if (auto made = make_folder(places.drop_ins()); !made) return made;
    ::chmod(places.drop_ins().c_str(), 0755);
    const auto file = places.drop_ins() / "10-user.conf";
    if (auto written = write_file(file, "[Service]\nUser=" + user + "\n"); !written) return written;
    ::chmod(file.c_str(), 0644);
    return {};
}

/// root owns what configures the agent, so that no job can change it; the key belongs to the user alone.
Result<void> write_files(const NewInstance& instance, const Places& places, const UserEntry& ids) {
    if (auto made = make_folder(places.folder()); !made) return made;
    ::chmod(places.folder().parent_path().c_str(), 0755);
    if (auto given = give(places.folder(), {0, ids.group}, 0750); !given) return given;
    const std::array files{std::pair{places.configuration(), instance_configuration(instance)},
                           std::pair{places.folder() / "default.yaml", device_file(instance)}};
    for (const auto& [path, text] : files) {
        if (auto written = write_file(path, text); !written) return written;
        if (auto given = give(path, {0, ids.group}, 0640); !given) return given;
    }
    if (instance.key_file.empty()) return {};
    const auto key = read_secret_file(instance.key_file, longest_key);
    if (!key) return fail(key.error());
    const auto kept = places.folder() / "secret_key";
    if (auto written = write_file(kept, key->reveal()); !written) return written;
    return give(kept, ids, 0400);
}

Result<void> add(const NewInstance& instance, const Places& places) {
    if (auto good = check_instance_name(instance.name); !good) return good;
    if (instance.client_id.empty() != instance.key_file.empty()) {
        return fail(std::string("found only ") + (instance.key_file.empty() ? "--client-id" : "--key-file") +
                    ", expected both or neither");
    }
    std::error_code ignored;
    if (fs::exists(places.configuration(), ignored)) {
        return fail(places.configuration().string() + " already exists: edit it, or remove the instance first");
    }
    if (::geteuid() != 0) return fail("this needs root to create a user and files below /etc: run it with sudo");
    const auto user = user_of_instance(instance.name);
    if (auto made = make_user(places, user); !made) return made;
    const auto ids = find_user_entry(user, places.root);
    if (!ids) return fail(ids.error());
    if (auto named = name_the_user(places, user); !named) return named;
    if (auto written = write_files(instance, places, *ids); !written) return written;
    if (places.is_running_system()) run_program({"systemctl", "daemon-reload"});
    std::cout << "made " << places.folder().string() << ", which the user " << user << " can read\nnext:\n"
              << "  describe the device in " << (places.folder() / "default.yaml").string() << "\n"
              << (instance.client_id.empty() ? "  put the token into /var/lib/testflinger-agent/refresh_token\n" : "")
              << "  trebuchet-agent check-config -c " << places.configuration().string() << "\n"
              << "  systemctl enable --now trebuchet-agent@" << instance.name << '\n';
    return {};
}

void show_instance(const Places& places) {
    const auto row = [&](const std::string& server, const std::string& queues) {
        std::cout << std::left << std::setw(24) << places.name << ' ' << std::setw(32) << user_of_instance(places.name)
                  << ' ' << std::setw(36) << server << ' ' << queues << '\n';
    };
    const auto loaded = load_config(places.configuration());
    if (!loaded) return row("(its configuration is wrong)", "see: trebuchet-agent check-config");
    std::string queues;
    for (const auto& queue : loaded->config.job_queues) queues += (queues.empty() ? "" : ",") + queue;
    row(loaded->config.server_address, queues);
}

}  // namespace

Result<void> check_instance_name(const std::string& name) {
    const auto is_alphanumeric = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    };
    const auto fits = [&](char c) { return is_alphanumeric(c) || c == '.' || c == '_' || c == '-'; };
    if (!name.empty() && name.size() <= longest_name && is_alphanumeric(name[0]) &&
        std::all_of(name.begin(), name.end(), fits)) {
        return {};
    }
    return fail("found the name " + trebuchet::quoted(name) + ", expected at most " + std::to_string(longest_name) +
                " letters, digits, '.', '_' and '-' that begin with a letter or digit");
}

std::string user_of_instance(const std::string& name) {
    auto plain = std::string(user_prefix) + name;
    if (plain.size() <= longest_user && fits_user(name)) return plain;
    auto part = name;
    std::transform(part.begin(), part.end(), part.begin(), lower);
    std::replace_if(
        part.begin(), part.end(),
        [](char c) {
            return !fits_user({&c, 1});
        },
        '-');
    part.resize(std::min(part.size(), longest_user - user_prefix.size() - 7));
    return std::string(user_prefix) + part + "-" + six_digits_of(name);
}

std::string instance_configuration(const NewInstance& instance) {
    const auto folder = "/etc/trebuchet/" + instance.name;
    auto text =
        "# The agent of the device " + instance.name +
        ", made by `trebuchet-agent instance add`. All keys: man testflinger-agent.conf\n"
        "# After a change: trebuchet-agent check-config -c " +
        folder + "/testflinger-agent.conf && systemctl reload trebuchet-agent@" + instance.name +
        "\nagent_id: " + scalar(instance.name) + "\nserver_address: " + scalar(instance.server) +
        "\njob_queues: " + list_of(instance.queues) +
        "\npolling_interval: 10\nprovision_type: " + scalar(instance.connector) +
        "\n\n# What each phase runs. default.yaml describes the device. A phase without a command is left out.\n";
    for (const auto& [key, stage] : stages) {
        text += std::string(key) + ": trebuchet-provision " + instance.connector + " " + stage + " -c " + folder +
                "/default.yaml testflinger.json\n";
    }
    if (instance.client_id.empty() && instance.ca_file.empty()) return text;
    text += "\ntrebuchet:\n";
    if (!instance.client_id.empty()) {
        text += "  client_id: " + scalar(instance.client_id) + "\n  secret_key_file: " + folder + "/secret_key\n";
    }
    if (!instance.ca_file.empty()) text += "  tls:\n    ca_file: " + scalar(instance.ca_file.string()) + "\n";
    return text;
}

int add_instance(const NewInstance& instance, const fs::path& root) {
    const auto added = add(instance, {root, instance.name});
    if (added) return 0;
    complain(added.error().message());
    return exit_usage;
}

int list_instances(const fs::path& root) {
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(root / "etc/trebuchet", error)) {
        if (fs::exists(entry.path() / "testflinger-agent.conf", error)) names.push_back(entry.path().filename());
    }
    std::sort(names.begin(), names.end());
    for (const auto& name : names) show_instance({root, name});
    if (names.empty()) std::cout << "no instances: add one with `trebuchet-agent instance add`\n";
    return 0;
}

int remove_instance(const std::string& name, bool purge, const fs::path& root) {
    const Places places{root, name};
    if (auto good = check_instance_name(name); !good) {
        complain(good.error().message());
        return exit_usage;
    }
    std::error_code error;
    if (!fs::exists(places.folder(), error)) {
        complain("there is no instance " + name + ": " + places.folder().string() + " is missing");
        return exit_usage;
    }
    if (places.is_running_system()) run_program({"systemctl", "disable", "--now", "--quiet", places.unit()});
    for (const auto& path : {places.folder(), places.users(), places.drop_ins(), places.status()}) {
        if (auto removed = remove_tree(path); !removed) {
            complain(removed.error().message());
            return exit_usage;
        }
    }
    if (!purge) {
        std::cout << "removed " << name << "; " << places.state().string() << " and the user " << user_of_instance(name)
                  << " are kept: --purge removes them\n";
        return 0;
    }
    if (auto removed = remove_tree(places.state()); !removed) {
        complain(removed.error().message());
        return exit_usage;
    }
    if (run_program(with_root({"userdel", user_of_instance(name)}, places)) != 0) {
        complain("userdel could not remove the user " + user_of_instance(name));
        return exit_usage;
    }
    std::cout << "removed " << name << " with its state and its user\n";
    return 0;
}

}  // namespace trebuchet
