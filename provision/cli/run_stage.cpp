#include "provision/cli/run_stage.hpp"

#include "provision/connectors/registry.hpp"
#include "provision/process/posix_command_runner.hpp"
#include "provision/stages/stage_files.hpp"

#include <iostream>
#include <random>
#include <string>

#include <unistd.h>

namespace trebuchet {
namespace {

constexpr const char* device_info_file = "device-info.json";
constexpr const char* error_file = "device-connector-error.json";

StageResult run_configured(const StageArguments& arguments, const ConnectorConfig& config, const ConnectorLog& log,
                           const Clock& clock) {
    if (auto done = write_device_info(device_info_file, config); !done) {
        return stage_error("DeviceInfoError", done.error().message());
    }
    const auto job = JobFile::load(arguments.job);
    if (!job) return job_error(job.error().message());

    SignalInterrupt interrupt;
    PosixCommandRunner commands(interrupt);
    std::minstd_rand random{std::random_device{}()};
    std::uniform_real_distribution<double> jitter(0.0, 1.0);
    StageContext context{config, *job, log, commands, interrupt, clock, [&] { return jitter(random); }, std::cout};
    return make_connector(arguments.type)->run(arguments.stage, context);
}

StageResult run_logged(const StageArguments& arguments, const ConnectorLog& log, const Clock& clock,
                       const ConnectorConfigResult<LoadedConnectorConfig>& loaded) {
    if (!loaded) {
        std::string problems;
        for (const auto& problem : loaded.error()) problems += (problems.empty() ? "" : "\n") + problem;
        return stage_error("ConfigError", problems);
    }
    for (const auto& warning : loaded->warnings) log.warning(warning);
    return run_configured(arguments, loaded->config, log, clock);
}

}  // namespace

int run_stage(const StageArguments& arguments) {
    const SystemClock clock;
    const auto loaded = load_connector_config(arguments.config);
    const ConnectorLog log(clock, loaded ? loaded->config.agent_name : "", STDERR_FILENO);
    const auto result = run_logged(arguments, log, clock, loaded);
    if (result) return *result;

    log.error(name_of(arguments.stage) + " failed: " + result.error().message);
    if (auto done = append_stage_error(error_file, arguments.stage, result.error()); !done) {
        log.error(done.error().message());
    }
    return result.error().exit_code;
}

}  // namespace trebuchet
