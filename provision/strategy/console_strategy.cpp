#include "provision/strategy/console_strategy.hpp"

#include "common/base/text.hpp"
#include "provision/job/duration.hpp"

#include <algorithm>
#include <charconv>
#include <map>

namespace trebuchet {
namespace {

using namespace std::chrono_literals;
using Record = std::map<std::string, std::string>;
using Power = ConsoleStep::Power;

constexpr std::string_view key = "console_strategy";
constexpr auto time_to_connect = 10s;

Result<Power> power_of(const std::string& text) {
    if (text == "off") return Power::off;
    if (text == "on") return Power::on;
    if (text == "cycle") return Power::cycle;
    // YAML 1.1 takes on and off for booleans; as text they are what was written.
    return fail("power: found " + trebuchet::quoted(text) + ", expected off, on or cycle");
}

Result<void> read_value(const std::string& name, const std::string& value, ConsoleStep& step) {
    const auto read_time = [&](std::chrono::seconds& time) -> Result<void> {
        const auto parsed = parse_duration(value);
        if (!parsed) return fail(parsed.error().with_context(name));
        time = *parsed;
        return {};
    };
    if (name == "timeout") return read_time(step.timeout);
    if (name == "every") return read_time(step.every);
    if (name == "state") {
        step.state = value;
    } else if (name == "power") {
        const auto power = power_of(value);
        if (!power) return fail(power.error());
        step.power = *power;
    } else if (name == "send" || name == "send_line") {
        auto bytes = with_control_bytes(value);
        if (!bytes) return fail(bytes.error().with_context(name));
        step.send = *bytes + (name == "send_line" ? "\r" : "");
    } else if (name == "send_password") {
        if (value != "true" && value != "false") return fail("send_password: expected true or false");
        step.sends_password = value == "true";
    } else if (name == "expect") {
        auto pattern = SerialPattern::regex(value);
        if (!pattern) return fail(pattern.error().with_context(name));
        step.expect = std::move(*pattern);
    } else {
        return fail("found the key " + trebuchet::quoted(name) +
                    ", expected state, power, send, send_line, send_password, every, expect or timeout");
    }
    return {};
}

Result<ConsoleStep> read_step(const Record& record) {
    ConsoleStep step;
    for (const auto& [name, value] : record) {
        if (auto done = read_value(name, value, step); !done) return fail(done.error());
    }
    if (step.timeout == 0s) return fail("timeout: found 0, expected a number of seconds");
    if (record.contains("send") + record.contains("send_line") + step.sends_password > 1) {
        return fail("found more than one of send, send_line and send_password");
    }
    if (step.every > 0s && (!step.expect || (!step.send && !step.sends_password))) {
        return fail("every: expected something to send and to expect");
    }
    return step;
}

class StrategyRun {
  public:
    StrategyRun(const SwitchPower& switch_power, StageContext& context)
        : switch_power_(&switch_power), context_(&context) {}

    StageResult run(const ConsoleStep& step, std::size_t number) {
        const auto where = "console_strategy, step " + std::to_string(number) +
                           (step.state.empty() ? "" : " (to " + step.state + ")") + ": ";
        if (step.power != Power::none) {
            // What the device said before is no answer to what follows.
            context_->serial->clear();
            if (auto done = (*switch_power_)(step.power); !done || *done != 0) return done;
        }
        auto done = talk(step);
        if (const int signal = context_->interrupt.wait_for(0ms); signal != 0) return exit_by_signal(signal);
        if (!done) return stage_error("ProvisioningError", where + done.error().message());
        if (!step.state.empty()) context_->log.info("The device is in the state " + step.state);
        return 0;
    }

  private:
    Result<void> talk(const ConsoleStep& step) {
        if (auto done = send(step); !done) return done;
        if (!step.expect) return {};
        auto left = std::chrono::milliseconds(step.timeout);
        while (true) {
            const auto part = step.every == 0s ? left : std::min<std::chrono::milliseconds>(left, step.every);
            const auto found = context_->serial->expect(*step.expect, part, context_->interrupt);
            if (found) return {};
            left -= part;
            if (left <= 0ms || context_->interrupt.wait_for(0ms) != 0) return fail(found.error());
            if (auto done = send(step); !done) return done;
        }
    }

    Result<void> send(const ConsoleStep& step) {
        if (!step.sends_password) {
            return step.send ? context_->serial->send(*step.send, step.timeout, context_->interrupt) : Result<void>();
        }
        const auto password = context_->job.test_password();
        if (!password) return fail(password.error());
        WipedString line(*password ? (*password)->reveal() : "ubuntu");
        line += '\r';
        return context_->serial->send(line, step.timeout, context_->interrupt);
    }

    const SwitchPower* switch_power_;
    StageContext* context_;
};

}  // namespace

Result<std::string> with_control_bytes(std::string_view text) {
    static const std::map<char, char> names{{'r', '\r'}, {'n', '\n'}, {'t', '\t'}, {'e', '\x1b'}, {'\\', '\\'}};
    std::string out;
    while (!text.empty()) {
        const char c = text.front();
        text.remove_prefix(1);
        if (c != '\\') {
            out += c;
            continue;
        }
        const auto name = text.empty() ? names.end() : names.find(text.front());
        if (name != names.end()) {
            out += name->second;
            text.remove_prefix(1);
            continue;
        }
        unsigned byte = 0;
        const bool is_hex = text.size() >= 3 && text.front() == 'x' &&
                            std::from_chars(text.data() + 1, text.data() + 3, byte, 16).ptr == text.data() + 3;
        if (!is_hex) return fail("found a backslash, expected \\r, \\n, \\t, \\e, \\xHH or \\\\");
        out += static_cast<char>(byte);
        text.remove_prefix(3);
    }
    return out;
}

Result<std::vector<ConsoleStep>> read_console_strategy(const ConnectorConfig& config) {
    std::vector<ConsoleStep> steps;
    const auto found = config.records.find(std::string(key));
    if (found == config.records.end()) {
        if (!config.keys.contains(std::string(key))) return steps;
        return fail(std::string(key) + ": expected a list of steps, each with names and values");
    }
    for (const auto& record : found->second) {
        auto step = read_step(record);
        if (!step) {
            return fail(std::string(key) + ", step " + std::to_string(steps.size() + 1) + ": " +
                        step.error().message());
        }
        steps.push_back(std::move(*step));
    }
    return steps;
}

StageResult run_console_strategy(const std::vector<ConsoleStep>& steps, const SwitchPower& switch_power,
                                 StageContext& context) {
    if (steps.empty()) return 0;
    if (context.serial == nullptr) {
        return stage_error("ConfigError",
                           "console_strategy needs the serial console: expected serial_host and serial_port, "
                           "serial_socket or serial_device, and no console_command of the agent, which would take it");
    }
    // So that nothing is lost that the device prints first. If it only comes with the power, the steps wait for it.
    (void)context.serial->connect_now(time_to_connect);
    StrategyRun strategy(switch_power, context);
    std::size_t number = 0;
    for (const auto& step : steps) {
        if (auto done = strategy.run(step, ++number); !done || *done != 0) return done;
    }
    return 0;
}

}  // namespace trebuchet
