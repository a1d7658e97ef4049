#include "provision/connectors/config_script.hpp"

#include "provision/connectors/device.hpp"
#include "provision/process/shell_words.hpp"

namespace trebuchet {
namespace {

using namespace std::chrono_literals;

constexpr auto command_time = 60s;

StageResult run(const std::string& key, bool by_shell, StageContext& context) {
    for (const auto& item : list_of(context.config, key)) {
        Command command;
        command.argv = {"/bin/sh", "-c", item};
        if (!by_shell) {
            auto words = split_shell_words(item);
            if (!words) return stage_error("ConfigError", key + ": " + words.error().message());
            command.argv = std::move(*words);
        }
        command.timeout = command_time;
        context.log.info("Running " + item);
        const auto result = context.commands.run(command);
        if (succeeded(result)) continue;
        if (const auto* end = std::get_if<CommandInterrupted>(&result.end)) return exit_by_signal(end->signal);
        const auto code = std::get_if<CommandExited>(&result.end);
        return provisioning_error(
            "Error running " + item +
            (code == nullptr ? ": " + describe(result.end) : " (rc=" + std::to_string(code->code) + ")"));
    }
    return 0;
}

}  // namespace

StageResult run_words(const std::string& key, StageContext& context) {
    return run(key, false, context);
}

StageResult run_by_shell(const std::string& key, StageContext& context) {
    return run(key, true, context);
}

}  // namespace trebuchet
