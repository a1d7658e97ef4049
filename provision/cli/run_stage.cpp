#include "provision/cli/run_stage.hpp"

#include "common/file/regular_file.hpp"
#include "provision/cli/surroundings.hpp"
#include "provision/connectors/config_check.hpp"
#include "provision/connectors/console.hpp"
#include "provision/connectors/registry.hpp"
#include "provision/process/exit_codes.hpp"
#include "provision/serial/console_copy.hpp"
#include "provision/stages/stage_files.hpp"

#include <iostream>
#include <random>
#include <string>

#include <unistd.h>

namespace trebuchet {
namespace {

constexpr const char* device_info_file = "device-info.json";
constexpr std::size_t max_config_bytes = std::size_t{1024} * 1024;
constexpr const char* error_file = "device-connector-error.json";

StageResult run_configured(const StageArguments& arguments, const ConnectorConfig& config, const ConnectorLog& log,
                           Surroundings& surroundings) {
    if (auto done = write_device_info(device_info_file, config); !done) {
        return stage_error("DeviceInfoError", done.error().message());
    }
    const auto job = JobFile::load(arguments.job);
    if (!job) return job_error(job.error().message());

    std::minstd_rand random{std::random_device{}()};
    std::uniform_real_distribution<double> jitter(0.0, 1.0);
    StageContext context{config,
                         *job,
                         log,
                         surroundings.commands(),
                         surroundings.interrupt(),
                         surroundings.clock(),
                         [&] { return jitter(random); },
                         std::cout};
    return make_connector(arguments.type)->run(arguments.stage, context);
}

StageResult run_logged(const StageArguments& arguments, const ConnectorLog& log, Surroundings& surroundings,
                       const ConfigFindings& findings, const ConnectorConfigResult<ConnectorConfig>& config) {
    for (const auto& warning : findings.warnings) log.warning(warning);
    if (config) return run_configured(arguments, *config, log, surroundings);
    std::string problems;
    for (const auto& problem : config.error()) problems += (problems.empty() ? "" : "\n") + problem;
    return stage_error("ConfigError", problems);
}

}  // namespace

int run_stage(const StageArguments& arguments) {
    const auto surroundings = make_surroundings();
    const auto text = read_regular_file(arguments.config, max_config_bytes);
    ConfigFindings findings;
    ConnectorConfigResult<ConnectorConfig> config;
    if (text) {
        findings = check_config(*text, arguments.config, "");
        config = parse_connector_config(*text, arguments.config);
    } else {
        config = tl::unexpected(std::vector{text.error().message()});
    }
    const ConnectorLog log(surroundings->clock(), config ? config->agent_name : "", STDERR_FILENO);
    const auto result = run_logged(arguments, log, *surroundings, findings, config);
    if (result) return *result;

    log.error(name_of(arguments.stage) + " failed: " + result.error().message);
    if (auto done = append_stage_error(error_file, arguments.stage, result.error()); !done) {
        log.error(done.error().message());
    }
    return result.error().exit_code;
}

int check_config_file(const CheckArguments& arguments) {
    const auto text = read_regular_file(arguments.config, max_config_bytes);
    const auto findings =
        text ? check_config(*text, arguments.config, arguments.type) : ConfigFindings{{text.error().message()}, {}};
    for (const auto& problem : findings.problems) std::cerr << problem << '\n';
    for (const auto& warning : findings.warnings) std::cerr << "warning: " << warning << '\n';
    if (!findings.problems.empty()) return exit_failure;
    std::cout << arguments.config.string() << " is fine" << (arguments.type.empty() ? "" : " for " + arguments.type)
              << '\n';
    return exit_success;
}

int print_console(const ConsoleArguments& arguments) {
    const auto text = read_regular_file(arguments.config, max_config_bytes);
    const auto config =
        text ? parse_connector_config(*text, arguments.config)
             : ConnectorConfigResult<ConnectorConfig>(tl::unexpected(std::vector{text.error().message()}));
    if (!config) {
        for (const auto& problem : config.error()) std::cerr << problem << '\n';
        return 1;
    }
    const auto console = console_of(*config);
    if (!console) {
        std::cerr << arguments.config.string()
                  << ": the device has no serial console: expected serial_device, serial_socket, or serial_host and "
                     "serial_port\n";
        return 1;
    }
    const SystemClock clock;
    SignalInterrupt interrupt;
    const ConnectorLog log(clock, config->agent_name, STDERR_FILENO);
    const auto done = copy_console(*console, STDOUT_FILENO, interrupt, clock, log);
    if (!done) log.error("Cannot write the console's output: " + done.error().message());
    return done ? 0 : 1;
}

}  // namespace trebuchet
