#include "provision/stages/reserve.hpp"

#include "common/base/backoff.hpp"
#include "common/base/text.hpp"

#include <filesystem>
#include <ostream>
#include <system_error>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

constexpr const char* key_file = "key.pub";
constexpr int tries = 10;
constexpr auto command_timeout = 30s;

enum class Outcome { done, given_up, interrupted };

/// Again and again until it works; `hopeless` looks at the output of a try that failed.
template <typename Hopeless>
Outcome retry(const Command& command, Backoff backoff, StageContext& context, Hopeless hopeless) {
    for (int left = tries; left > 0; --left) {
        const auto [end, output] = context.commands.run(command);
        if (exit_code(end) == 0) return Outcome::done;
        if (std::holds_alternative<CommandInterrupted>(end)) return Outcome::interrupted;
        const auto said = output.empty() ? "" : ", it said: " + trebuchet::quoted(to_valid_utf8(output), 400);
        context.log.error(command.argv.front() + ": " + describe(end) + said);
        if (hopeless(output) || std::holds_alternative<CommandNotStarted>(end)) break;
        if (left > 1 && context.interrupt.wait_for(backoff.next()) != 0) return Outcome::interrupted;
    }
    return Outcome::given_up;
}

Outcome import_key(const std::string& key, StageContext& context) {
    std::error_code error;
    std::filesystem::remove(key_file, error);
    const Command import{{"ssh-import-id", "-o", key_file, key}, nullptr, command_timeout, true};
    // How ssh-import-id says that nobody has this name.
    const auto unknown_user = [](const std::string& output) {
        return output.find("status_code=404") != std::string::npos;
    };
    return retry(import, Backoff(1s, 100s, context.jitter), context, unknown_user);
}

Outcome copy_key(const std::string& target, StageContext& context) {
    Command copy{
        {"ssh-copy-id", "-f", "-i", key_file, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"},
        nullptr,
        command_timeout,
        false};
    if (context.config.device_port != 0) {
        copy.argv.insert(copy.argv.end(), {"-p", std::to_string(context.config.device_port)});
    }
    copy.argv.push_back(target);
    // The device may be rebooting: that takes minutes.
    return retry(copy, Backoff(5s, 100s, context.jitter), context, [](const std::string& /*output*/) { return false; });
}

/// False: we were told to stop.
bool install_key(const std::string& key, const std::string& target, StageContext& context) {
    if (key.empty() || key.front() == '-') {
        context.log.error("Skipping the ssh key " + trebuchet::quoted(key) +
                          ": expected a name such as lp:NAME or gh:NAME");
        return true;
    }
    auto outcome = import_key(key, context);
    if (outcome == Outcome::given_up) context.log.error("Unable to import the ssh key of " + trebuchet::quoted(key));
    if (outcome != Outcome::done) return outcome != Outcome::interrupted;
    context.log.info("Imported the ssh key of " + trebuchet::quoted(key));

    outcome = copy_key(target, context);
    if (outcome == Outcome::given_up)
        context.log.error("Unable to copy the ssh key of " + trebuchet::quoted(key) + " to the device");
    return outcome != Outcome::interrupted;
}

/// Tools read these lines: their wording is the reference's.
void announce(const std::string& target, std::chrono::seconds timeout, StageContext& context) {
    const auto& config = context.config;
    const auto now = context.clock.wall_time();
    auto& out = context.out;
    out << "*** TESTFLINGER SYSTEM RESERVED ***\n";
    if (!target.empty()) {
        out << "You can now connect to " << target;
        if (config.device_port != 0) out << " on port " << config.device_port;
        out << '\n';
    }
    if (!config.serial_host.empty() && config.serial_port != 0) {
        out << "Serial access is available via: telnet " << config.serial_host << ' ' << config.serial_port << '\n';
    }
    out << "Current time:           [" << iso8601(now) << "]\n"
        << "Reservation expires at: [" << iso8601(now + timeout) << "]\n"
        << "Reservation will automatically timeout in " << timeout.count() << " seconds\n"
        << "To end the reservation sooner use: testflinger-cli cancel " << context.job.id() << '\n'
        << std::flush;
}

}  // namespace

StageResult reserve(StageContext& context) {
    context.log.info("BEGIN reservation");
    const auto data = context.job.reserve_data();
    if (!data) return job_error(data.error().message());
    const auto user = context.job.test_username();
    if (!user) return job_error(user.error().message());

    std::string target;
    if (!context.config.device_ip.empty()) target = *user + "@" + context.config.device_ip;
    if (target.empty() && !data->ssh_keys.empty()) {
        context.log.warning("The configuration has no device_ip: there is nothing to install the ssh keys on");
    }
    if (!target.empty()) {
        for (const auto& key : data->ssh_keys) {
            if (!install_key(key, target, context)) break;
        }
    }
    if (const int signal = context.interrupt.wait_for(0s); signal != 0) return 128 + signal;

    announce(target, data->timeout, context);
    const int signal = context.interrupt.wait_for(data->timeout);
    context.log.info(signal == 0 ? "The reservation has expired" : "The reservation was ended");
    return signal == 0 ? 0 : 128 + signal;
}

}  // namespace trebuchet
