#include "agent/cli/key_command.hpp"

#include "agent/cli/exit_codes.hpp"
#include "agent/cli/public_key_server.hpp"
#include "agent/cli/value_input.hpp"
#include "agent/config/load_config.hpp"
#include "common/base/clock.hpp"
#include "common/file/safe_file.hpp"
#include "common/git/git.hpp"
#include "common/sealed_value/decrypted_value.hpp"
#include "common/sealed_value/repository_url.hpp"
#include "common/sealed_value/rsa_oaep.hpp"
#include "common/secret/base64.hpp"

#include <cstdlib>
#include <iostream>
#include <optional>
#include <string_view>

#include <unistd.h>

namespace trebuchet {
namespace {

constexpr std::size_t longest_key_file = 64 * std::size_t{1024};
constexpr std::size_t line_width = 76;

int complain(const char* command, const Error& error) {
    std::cerr << "trebuchet-agent secret " << command << ": " << error.message() << '\n';
    return exit_usage;
}

Result<Config> configuration(const std::filesystem::path& file) {
    auto loaded = load_config(file);
    if (loaded) return std::move(loaded->config);
    return fail(loaded.error().empty() ? "the configuration is wrong" : loaded.error().front().message());
}

struct Chosen {
    KeyFolder keys;
    KeyOwner owner;
};

Result<Chosen> chosen(const KeyChoice& choice) {
    auto keys = key_folder_of(choice);
    if (!keys) return fail(keys.error());
    auto owner = key_owner_of(choice);
    if (!owner) return fail(owner.error());
    return Chosen{std::move(*keys), std::move(*owner)};
}

KeyRecord::Time now() {
    return SystemClock().wall_time();
}

int print_key(const char* command, const Result<std::string>& public_pem) {
    if (!public_pem) return complain(command, public_pem.error());
    std::cout << *public_pem;
    return 0;
}

Result<std::string> public_key_for(const EncryptOptions& options, const KeyOwner& owner) {
    if (!options.public_key.empty()) return read_file(options.public_key, longest_key_file);
    if (auto keys = key_folder_of(options.key)) return keys->public_key(owner, now());
    if (!options.key.key_folder.empty()) return fail(key_folder_of(options.key).error());
    const auto config = configuration(options.key.config);
    if (!config) return fail(config.error().with_context("give --public-key or --key-folder, or a configuration"));
    return public_key_of_server(*config, owner);
}

std::string wrapped(std::string_view base64, const std::string& indent) {
    std::string lines;
    for (std::size_t at = 0; at < base64.size(); at += line_width) {
        lines += indent + std::string(base64.substr(at, line_width)) + "\n";
    }
    return lines;
}

/// Both may be pasted as they are.
std::string shapes(const std::string& name, const KeyOwner& owner, std::string_view base64) {
    const auto start = "environments:\n  secrets:\n    " + name + ":";
    return "# For " + owner.repository + ", when " + owner.user + " posts the job.\n" + start + " |\n" +
           wrapped(base64, "      ") + "\n# Or, with entries for several users:\n" + start + "\n      - \"" +
           owner.user + "," + std::string(base64) + "\"\n";
}

std::string state_of(const KeyRecord& key, KeyRecord::Time at) {
    if (key.revoked) return "revoked " + iso8601(*key.revoked).substr(0, 10);
    if (!key.until) return "encrypts and decrypts";
    return (at < *key.until ? "decrypts until " : "ended ") + iso8601(*key.until).substr(0, 10);
}

}  // namespace

Result<KeyFolder> key_folder_of(const KeyChoice& choice) {
    if (!choice.key_folder.empty()) return KeyFolder::open(choice.key_folder);
    const auto config = configuration(choice.config);
    if (!config) return fail(config.error().with_context("give --key-folder, or a configuration"));
    const auto& folder = config->trebuchet.secrets.key_folder;
    if (folder.empty()) return fail("give --key-folder, or set trebuchet.secrets.key_folder");
    return KeyFolder::open(folder);
}

Result<KeyOwner> key_owner_of(const KeyChoice& choice) {
    KeyOwner owner{choice.repository, choice.user};
    if (owner.repository.empty()) {
        EventLoop loop;
        const auto origin = origin_url(loop, std::filesystem::current_path());
        if (!origin) return fail(origin.error().message() + ": give --repository");
        owner.repository = *origin;
    }
    const auto url = repository_url(owner.repository);
    if (!url) return fail(url.error().with_context("--repository"));
    owner.repository = *url;
    if (const char* user = std::getenv("TESTFLINGER_CLIENT_ID"); owner.user.empty() && user != nullptr) {
        owner.user = user;
    }
    if (owner.user.empty()) {
        if (const auto config = configuration(choice.config)) owner.user = config->trebuchet.client_id;
    }
    if (owner.user.empty()) return fail("give --user: the client_id of who posts the jobs");
    if (!is_encrypted_user(owner.user)) {
        return fail("--user: expected a client_id of letters, digits, '-', '_', '.' and '@'");
    }
    return owner;
}

int keygen_command(const KeyChoice& choice) {
    auto key = chosen(choice);
    if (!key) return complain("keygen", key.error());
    return print_key("keygen", key->keys.public_key(key->owner, now()));
}

int encrypt_command(const EncryptOptions& options) {
    const auto owner = key_owner_of(options.key);
    if (!owner) return complain("encrypt", owner.error());
    const auto key = public_key_for(options, *owner);
    if (!key) return complain("encrypt", key.error());
    const auto value = read_value(options.keep_newline);
    if (!value) return complain("encrypt", value.error());
    const auto blocks = rsa_encrypted(*key, value->reveal());
    if (!blocks) return complain("encrypt", blocks.error());
    std::cout << shapes(options.name, *owner, base64_encoded(*blocks));
    return 0;
}

int decrypt_command(const KeyChoice& choice) {
    const auto key = chosen(choice);
    if (!key) return complain("decrypt", key.error());
    const auto text = read_value(false);
    if (!text) return complain("decrypt", text.error());
    auto entry = parse_encrypted_entry(text->reveal());
    if (!entry) return complain("decrypt", entry.error());
    const auto value = decrypted_value(key->keys, key->owner, {{std::move(*entry)}, {}}, now());
    if (!value) return complain("decrypt", value.error());
    const auto written = write_all(STDOUT_FILENO, value->reveal());
    return written ? 0 : complain("decrypt", written.error());
}

int list_keys_command(const KeyChoice& choice) {
    const auto keys = key_folder_of(choice);
    const auto all = keys ? keys->list() : fail(keys.error());
    if (!all) return complain("list", all.error());
    const auto at = now();
    for (const auto& [owner, records] : *all) {
        for (const auto& key : records) {
            std::cout << owner.repository << "  " << owner.user << "  " << key.id << "  made "
                      << iso8601(key.made).substr(0, 10) << "  " << state_of(key, at) << '\n';
        }
    }
    return 0;
}

int rotate_command(const RotateOptions& options) {
    auto key = chosen(options.key);
    if (!key) return complain("rotate", key.error());
    return print_key("rotate", key->keys.rotate(key->owner, now(), std::chrono::hours(24) * options.overlap_days));
}

int revoke_command(const RevokeOptions& options) {
    auto key = chosen(options.key);
    if (!key) return complain("revoke", key.error());
    const auto count = key->keys.revoke(key->owner, options.id, now());
    if (!count) return complain("revoke", count.error());
    if (*count == 0) return complain("revoke", Error("there is no such key that was not revoked before"));
    std::cout << *count << (*count == 1 ? " key is" : " keys are")
              << " revoked: make new values with `secret encrypt`\n";
    return 0;
}

}  // namespace trebuchet
