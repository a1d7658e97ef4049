#include "provision/cli/command_line.hpp"

#include "common/base/text.hpp"
#include "common/base/version.hpp"
#include "provision/cli/type_help.hpp"
#include "provision/connectors/registry.hpp"

#include <algorithm>
#include <vector>

#include <CLI/CLI.hpp>

namespace trebuchet {
namespace {

constexpr const char* usage = "Usage: trebuchet-provision TYPE STAGE -c CONFIG.yaml JOB.json\n";

std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const auto& word : words) out += (out.empty() ? "" : ", ") + word;
    return out;
}

/// `what` is "type" or "stage". Lists the valid names and suggests the closest one.
std::string unknown(const std::string& what, const std::string& found, std::vector<std::string> valid) {
    const auto list = joined(valid);
    if (what == "stage") valid.emplace_back("test");
    const auto near = did_you_mean(found, valid);
    return "unknown " + what + " " + trebuchet::quoted(found) +
           (near.empty() ? "" : "; did you mean " + trebuchet::quoted(near) + "?") + "\nValid " + what + "s: " + list;
}

tl::unexpected<UsageError> usage_error(const std::string& text) {
    return tl::unexpected(
        UsageError{"trebuchet-provision: " + text + "\n" + usage + "More: trebuchet-provision --help\n"});
}

bool is_type(const std::string& name) {
    const auto& types = connector_types();
    return std::find(types.begin(), types.end(), current_type(name)) != types.end();
}

/// `check -c CONFIG [TYPE]`: TYPE is in the position of STAGE, and nothing may be in the position of JOB.
tl::expected<Arguments, UsageError> check_arguments(const std::string& type, const std::string& config,
                                                    const std::string& surplus) {
    if (config.empty()) return usage_error("the configuration is missing; expected check -c CONFIG.yaml [TYPE]");
    if (!type.empty() && !is_type(type)) return usage_error(unknown("type", type, connector_types()));
    if (!surplus.empty())
        return usage_error("unexpected argument " + trebuchet::quoted(surplus) + " after check and a type");
    return CheckArguments{config, type};
}

tl::expected<Arguments, UsageError> console_arguments(const std::string& config, const std::string& surplus) {
    if (config.empty()) return usage_error("the configuration is missing; expected console -c CONFIG.yaml");
    if (!surplus.empty()) return usage_error("found " + trebuchet::quoted(surplus) + " after console");
    return ConsoleArguments{config};
}

/// CLI11's own usage line shows every argument as optional.
class HelpFormatter : public CLI::Formatter {
  public:
    std::string make_usage(const CLI::App* /*app*/, std::string /*name*/) const override { return usage; }
};

}  // namespace

tl::expected<Arguments, UsageError> parse_command_line(int argc, const char* const* argv) {
    CLI::App app("Runs one stage of a Testflinger job on a device", "trebuchet-provision");
    app.footer(
        "Types: " + joined(connector_types()) + "\nStages: " + joined(stage_names()) +
        " (test is an alias of runtest)\n"
        "Older names: zapper_iot is control_host_iot, zapper_kvm is control_host_kvm\n\n"
        "`trebuchet-provision check -c CONFIG.yaml [TYPE]` checks a configuration.\n"
        "`trebuchet-provision console -c CONFIG.yaml` prints the device's serial console until it is stopped.\n\n"
        "Exit codes: 0 success; 1 failure; 2 wrong usage; 46 the device cannot be recovered (the agent\n"
        "takes it offline); 128+N stopped by signal N. runtest returns the last test command's exit code.\n\n"
        "Example:\n  trebuchet-provision noprovision provision -c default.yaml testflinger.json");
    app.formatter(std::make_shared<HelpFormatter>());
    std::string type;
    std::string stage;
    std::string config;
    std::string job;
    app.add_option("TYPE", type, "Connector type; `trebuchet-provision list` prints the types")->type_name("");
    app.add_option("STAGE", stage, "Stage to run")->type_name("");
    app.add_option("JOB", job, "The job file, testflinger.json")->type_name("");
    app.add_option("-c,--config", config, "Device configuration, default.yaml")->type_name("FILE");
    app.set_version_flag("--version", std::string("trebuchet-provision ") + version);

    try {
        app.parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        return Answer{is_type(type) ? type_help(type) : app.help()};
    } catch (const CLI::CallForVersion& call) {
        return Answer{std::string(call.what()) + "\n"};
    } catch (const CLI::ParseError& error) {
        return usage_error(error.what());
    }

    if (type.empty()) return usage_error("TYPE is missing\nValid types: " + joined(connector_types()));
    if (type == "list" && stage.empty()) {
        std::string list;
        for (const auto& name : connector_types()) list += name + "\n";
        return Answer{list};
    }
    if (type == "check") return check_arguments(stage, config, job);
    if (type == "console") return console_arguments(config, stage);
    if (!is_type(type)) return usage_error(unknown("type", type, connector_types()));
    if (stage.empty()) return usage_error("STAGE is missing\nValid stages: " + joined(stage_names()));
    const auto known_stage = stage_from_name(stage);
    if (!known_stage) return usage_error(unknown("stage", stage, stage_names()));
    if (config.empty()) return usage_error("the configuration is missing; expected -c CONFIG.yaml");
    if (job.empty()) return usage_error("the job is missing; expected the path of testflinger.json");
    return StageArguments{type, *known_stage, config, job};
}

}  // namespace trebuchet
