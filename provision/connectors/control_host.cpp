#include "provision/connectors/control_host.hpp"

#include "common/base/text.hpp"
#include "provision/connectors/device.hpp"
#include "provision/connectors/leftovers.hpp"
#include "provision/log/tries_left.hpp"
#include "provision/process/last_line.hpp"
#include "provision/ssh/shell_quote.hpp"

#include <utility>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

constexpr int tries = 13;
constexpr auto between_tries = 5s;
constexpr auto time_for_leftovers = 40s;
/// The exit code of the script if something cannot be ended.
constexpr int leftovers_remain = 8;

}  // namespace

std::string mount_folder(const ConnectorConfig& config) {
    std::string name = config.agent_name.empty() ? "trebuchet" : config.agent_name;
    for (auto& c : name) c = c == '/' ? '_' : c;
    const auto parent = config.scalars.find("control_mount_folder");
    return (parent == config.scalars.end() ? "/mnt" : parent->second) + "/" + name;
}

std::string release_script(const std::string& device) {
    return "for place in $(lsblk -rno MOUNTPOINT " + shell_quote(device) +
           "); do\n"
           "  case $place in\n"
           "    /|/boot*|/usr*|/var*|/home*|/etc*|\\[SWAP\\]) echo \"the control host uses it: $place\"; exit 9 ;;\n"
           "    *) sudo umount \"$(printf '%b' \"$place\")\" || exit 1 ;;\n"
           "  esac\n"
           "done\n";
}

ControlHost::ControlHost(SshTarget target, StageContext& context)
    : context_(&context), ssh_(std::move(target), context.commands) {}

Result<std::string> ControlHost::result_of(const std::string& what, CommandResult result) {
    if (succeeded(result)) return std::move(result.output);
    return fail(what + " on " + ssh_.name() + ": " + (is_transport_failure(result.end) ? "no ssh connection, " : "") +
                describe(result));
}

Result<std::string> ControlHost::run_once(const std::string& command_line) {
    return result_of(trebuchet::quoted(command_line, 200), ssh_.run(command_line));
}

Result<std::string> ControlHost::run_script(std::string_view script) {
    return result_of("a script", ssh_.run_script(script));
}

Result<std::string> ControlHost::run(const std::string& command_line) {
    context_->log.info("Running on the control host: " + command_line);
    for (int left = tries;; --left) {
        auto result = run_once(command_line);
        if (result || left == 1 || context_->interrupt.wait_for(0ms) != 0) return result;
        context_->log.warning(result.error().message() + "; retrying in 5 s, " + tries_left(left - 1));
        if (context_->interrupt.wait_for(between_tries) != 0) return result;
    }
}

Result<void> ControlHost::end_leftovers(const std::string& disk, const std::string& program) {
    const auto result = ssh_.run_script(end_leftovers_script(ssh_.target().mark, disk, time_for_leftovers, program));
    const auto said = last_line(result.output);
    if (succeeded(result)) {
        if (!said.empty()) context_->log.warning("On " + ssh_.name() + ": " + to_valid_utf8(said));
        return {};
    }
    const auto* exited = std::get_if<CommandExited>(&result.end);
    if (exited == nullptr || exited->code != leftovers_remain) {
        context_->log.warning("Cannot look for leftovers on " + ssh_.name() + ": " + describe(result));
        return {};
    }
    return fail("an earlier use of this device still runs on " + ssh_.name() + ": " + to_valid_utf8(said));
}

StageResult ControlHost::failure(const Error& error) {
    if (const int signal = context_->interrupt.wait_for(0ms); signal != 0) return exit_by_signal(signal);
    return provisioning_error(error.message());
}

}  // namespace trebuchet
