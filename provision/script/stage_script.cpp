#include "provision/script/stage_script.hpp"

#include "common/base/backoff.hpp"
#include "common/base/text.hpp"
#include "provision/job/duration.hpp"
#include "provision/log/tries_left.hpp"

#include <charconv>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

constexpr int most_retries = 100;

StageResult run_command(const std::string& text, const StageScript& script, const Environment& environment,
                        StageContext& context) {
    Command command;
    command.argv = {"/bin/sh", "-c", text};
    command.environment = &environment;
    command.timeout = script.timeout;
    Backoff backoff(1s, 30s, context.jitter);
    for (int left = script.retries;; --left) {
        context.log.info("Running: " + text);
        const auto end = context.commands.run(command).end;
        if (exit_code(end) == 0) return 0;
        if (const auto* stopped = std::get_if<CommandInterrupted>(&end)) return exit_by_signal(stopped->signal);
        const auto message = script.key + ": " + text + ": " + describe(end);
        if (exit_code(end) == exit_recovery_failed) {
            return tl::unexpected(StageError{"RecoveryError", message, std::nullopt, exit_recovery_failed});
        }
        if (left == 0) return stage_error("ProvisioningError", message);
        context.log.warning(message + "; retrying, " + tries_left(left));
        if (const int signal = context.interrupt.wait_for(backoff.next()); signal != 0) return exit_by_signal(signal);
    }
}

}  // namespace

Result<std::chrono::seconds> read_seconds(const ConnectorConfig& config, const std::string& key,
                                          std::chrono::seconds fallback) {
    const auto found = config.scalars.find(key);
    if (found == config.scalars.end() || found->second.empty()) return fallback;
    const auto parsed = parse_duration(found->second);
    if (!parsed) return fail(parsed.error().with_context(key));
    return *parsed;
}

Result<StageScript> read_stage_script(const ConnectorConfig& config, const std::string& name,
                                      std::chrono::seconds timeout) {
    StageScript script;
    script.key = name == "recovery" ? "recovery_commands" : name + "_cmds";
    script.commands = list_of(config, script.key);
    const auto limit = read_seconds(config, name + "_timeout", timeout);
    if (!limit) return fail(limit.error());
    script.timeout = *limit;
    if (const auto found = config.scalars.find(name + "_retries");
        found != config.scalars.end() && !found->second.empty()) {
        const auto& text = found->second;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), script.retries);
        if (error != std::errc() || end != text.data() + text.size() || script.retries < 0 ||
            script.retries > most_retries) {
            return fail(name + "_retries: found " + trebuchet::quoted(text) + ", expected a number from 0 to 100");
        }
    }
    return script;
}

StageResult run_stage_script(const StageScript& script, const Environment& environment, StageContext& context) {
    if (script.commands.empty()) context.log.info("Nothing to do: " + script.key + " is not configured");
    for (const auto& text : script.commands) {
        if (auto done = run_command(text, script, environment, context); !done || *done != 0) return done;
    }
    return 0;
}

}  // namespace trebuchet
