#include "provision/stages/reservation_keys.hpp"

#include "common/base/backoff.hpp"
#include "common/base/text.hpp"
#include "common/file/safe_file.hpp"
#include "provision/ssh/shell_quote.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <sstream>
#include <system_error>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;
using Outcome = ReservationKeys::Outcome;

constexpr const char* key_file = "key.pub";
constexpr std::size_t max_key_file = std::size_t{256} * 1024;
constexpr std::size_t max_key = 16'384;
constexpr int tries = 10;
constexpr auto command_timeout = 30s;

constexpr std::array<std::string_view, 7> key_types{"ssh-ed25519",
                                                    "ssh-rsa",
                                                    "ecdsa-sha2-nistp256",
                                                    "ecdsa-sha2-nistp384",
                                                    "ecdsa-sha2-nistp521",
                                                    "sk-ssh-ed25519@openssh.com",
                                                    "sk-ecdsa-sha2-nistp256@openssh.com"};

bool is_base64(std::string_view text) {
    return text.size() > 32 && std::all_of(text.begin(), text.end(), [](char c) {
               return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '/' || c == '=';
           });
}

/// Tries up to ten times; stops early if `is_permanent` says so of a failure.
template <typename Try, typename IsPermanent>
Outcome retry(const std::string& what, Backoff backoff, StageContext& context, Try attempt, IsPermanent is_permanent) {
    for (int left = tries; left > 0; --left) {
        const CommandResult result = attempt();
        if (succeeded(result)) return Outcome::done;
        if (std::holds_alternative<CommandInterrupted>(result.end)) return Outcome::interrupted;
        context.log.error(what + ": " + describe(result));
        if (is_permanent(result) || std::holds_alternative<CommandNotStarted>(result.end)) break;
        if (left > 1 && context.interrupt.wait_for(backoff.next()) != 0) return Outcome::interrupted;
    }
    return Outcome::given_up;
}

/// Normalises a key: no surrounding blanks, one blank after its type.
std::string in_one_line(std::string_view key) {
    constexpr auto blanks = " \t\r\n";
    const auto begin = std::min(key.find_first_not_of(blanks), key.size());
    key = key.substr(begin, key.find_last_not_of(blanks) + 1 - begin);
    const auto type = key.substr(0, key.find_first_of(" \t"));
    const auto rest = std::min(key.find_first_not_of(" \t", type.size()), key.size());
    return rest == type.size() ? std::string(key) : std::string(type) + " " + std::string(key.substr(rest));
}

/// The public keys in a file that ssh-import-id wrote.
std::vector<std::string> keys_in(const std::string& text) {
    std::vector<std::string> keys;
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
        if (is_public_key(line)) keys.push_back(line);
    }
    return keys;
}

/// A script that adds the missing lines and prints "added N" for each.
std::string addition(const std::vector<std::string>& lines) {
    std::string script =
        "umask 077\n"
        "cd && mkdir -p .ssh && touch .ssh/authorized_keys || exit 1\n"
        "file=.ssh/authorized_keys\n"
        "[ -z \"$(tail -c 1 $file)\" ] || echo >>$file || exit 1\n"
        "add() {\n"
        "    grep -qxF -e \"$2\" $file && return\n"
        "    printf '%s\\n' \"$2\" >>$file || exit 1\n"
        "    echo \"added $1\"\n"
        "}\n";
    for (std::size_t i = 0; i < lines.size(); ++i) {
        script += "add " + std::to_string(i) + " " + shell_quote(lines[i]) + "\n";
    }
    return script;
}

std::string removal(const std::vector<std::string>& lines) {
    std::string script =
        "umask 077\n"
        "cd && [ -f .ssh/authorized_keys ] || exit 0\n"
        "grep -vxF";
    for (const auto& line : lines) script += " -e " + shell_quote(line);
    return script +
           " .ssh/authorized_keys >.ssh/authorized_keys.kept\n"
           "[ $? -le 1 ] && cat .ssh/authorized_keys.kept >.ssh/authorized_keys && rm .ssh/authorized_keys.kept\n";
}

}  // namespace

bool is_public_key(std::string_view text) {
    const auto first = text.find(' ');
    if (first == std::string_view::npos || text.size() > max_key) return false;
    if (std::find(key_types.begin(), key_types.end(), text.substr(0, first)) == key_types.end()) return false;
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; };
    const auto rest = text.substr(first + 1);
    return std::none_of(text.begin(), text.end(), is_control) && is_base64(rest.substr(0, rest.find(' ')));
}

Outcome ReservationKeys::install(const std::string& given) {
    const auto key = in_one_line(given);
    const auto name = trebuchet::quoted(key);
    const bool is_name = key.find_first_of(" \t\r\n") == std::string::npos;
    if (key.empty() || key.front() == '-' || (!is_name && !is_public_key(key))) {
        context_->log.error("Skipping the ssh key " + name +
                            ": expected a name such as lp:NAME or gh:NAME, or a public key");
        return Outcome::given_up;
    }
    std::vector<std::string> lines{key};
    if (!is_public_key(key)) {
        const auto outcome = import(key, lines);
        if (outcome == Outcome::given_up) context_->log.error("Unable to import the ssh key of " + name);
        if (outcome != Outcome::done) return outcome;
        context_->log.info("Imported the ssh key of " + name);
    }
    const auto outcome = copy(lines);
    if (outcome == Outcome::given_up) context_->log.error("Unable to copy the ssh key of " + name + " to the device");
    return outcome;
}

Outcome ReservationKeys::import(const std::string& name, std::vector<std::string>& lines) {
    std::error_code error;
    std::filesystem::remove(key_file, error);
    Command command;
    command.argv = {"ssh-import-id", "-o", key_file, name};
    command.timeout = command_timeout;
    command.capture_output = true;
    const auto run = [&] { return context_->commands.run(command); };
    // ssh-import-id prints this for an unknown user.
    const auto unknown_user = [](const CommandResult& result) {
        return result.output.find("status_code=404") != std::string::npos;
    };
    const auto outcome = retry(command.argv.front(), Backoff(1s, 100s, context_->jitter), *context_, run, unknown_user);
    if (outcome != Outcome::done) return outcome;
    const auto text = read_untrusted(key_file, max_key_file);
    lines = text ? keys_in(*text) : std::vector<std::string>();
    if (!lines.empty()) return Outcome::done;
    context_->log.error("ssh-import-id wrote no public key to " + std::string(key_file) +
                        (text ? "" : ": " + text.error().message()));
    return Outcome::given_up;
}

Outcome ReservationKeys::copy(const std::vector<std::string>& lines) {
    const auto script = addition(lines);
    const auto run = [&] {
        SshCall call;
        call.timeout = command_timeout;
        auto result = device_->run_script(script, call);
        note_added(lines, result.output);  // also after a failed try, which may have added some
        return result;
    };
    // The device may be rebooting, which takes minutes.
    return retry("ssh to " + device_->name(), Backoff(60s, 60s, context_->jitter), *context_, run,
                 [](const CommandResult& /*result*/) { return false; });
}

void ReservationKeys::note_added(const std::vector<std::string>& lines, const std::string& output) {
    std::istringstream said(output);
    for (std::string line; std::getline(said, line);) {
        for (std::size_t i = 0; i < lines.size(); ++i) {
            if (line == "added " + std::to_string(i)) installed_.push_back(lines[i]);
        }
    }
}

void ReservationKeys::remove(Ssh& device) {
    if (installed_.empty()) return;
    SshCall call;
    call.timeout = command_timeout;
    const auto result = device.run_script(removal(installed_), call);
    if (succeeded(result)) {
        context_->log.info("Removed the reservation's ssh keys from the device");
    } else {
        context_->log.warning("Cannot remove the reservation's ssh keys from " + device.name() + ": " +
                              describe(result));
    }
    installed_.clear();
}

}  // namespace trebuchet
