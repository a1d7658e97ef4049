#include "agent/cli/daemon_command.hpp"

#include "agent/cli/exit_codes.hpp"
#include "agent/config/load_config.hpp"
#include "agent/daemon/daemon.hpp"
#include "agent/pipeline/run_folder.hpp"
#include "agent/server/http_job_server.hpp"
#include "common/base/version.hpp"
#include "common/log/log.hpp"

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <random>

namespace trebuchet {
namespace {

HttpOptions http_options(const Config& config) {
    HttpOptions options;
    options.origin = config.server_address;
    options.ca_file = config.trebuchet.tls.ca_file;
    options.client_cert = config.trebuchet.tls.client_cert;
    options.client_key = config.trebuchet.tls.client_key;
    options.user_agent = std::string("trebuchet-agent/") + version;
    // The reference agent's HTTP library reads it, so labs with a CA of their own have it set.
    if (const char* bundle = std::getenv("REQUESTS_CA_BUNDLE"); options.ca_file.empty() && bundle != nullptr) {
        options.ca_file = bundle;
    }
    return options;
}

int complain(const Error& error) {
    std::cerr << "trebuchet-agent: " << error.message() << '\n';
    return exit_usage;
}

}  // namespace

int daemon_command(const DaemonOptions& options) {
    const auto loaded = load_config(options.config);
    if (!loaded) {
        for (const auto& problem : loaded.error()) std::cerr << problem.message() << '\n';
        return exit_usage;
    }
    const Config& config = loaded->config;
    LogOptions log;
    log.level = log_level(config.logging_level).value_or(LogLevel::info);
    log.quiet = config.logging_quiet;
    log.folder = config.logging_basedir;
    if (auto ready = set_up_log(log); !ready) return complain(ready.error());
    for (const auto& problem : loaded->warnings) log_warning(problem.message());
    const auto secret_base = runtime_folder(config.agent_id);
    if (!secret_base) return complain(secret_base.error());

    EventLoop loop;
    const SystemClock clock;
    auto http = HttpClient::make(loop, http_options(config));
    if (!http) return complain(http.error());
    ApiClient api(loop, clock, std::move(*http), options.token_file);
    const auto server = make_http_job_server(config, api);
    std::mt19937_64 random(std::random_device{}());
    Daemon daemon(loop, clock, config, *server, [&] { return std::generate_canonical<double, 53>(random); });
    const SignalWatcher signals(loop, {SIGTERM, SIGINT}, [&](int signal) {
        log_info(std::string("stopping on ") + (signal == SIGTERM ? "SIGTERM" : "SIGINT"));
        daemon.stop();
    });
    const auto end = daemon.run(*secret_base);
    log_info("stopped");
    return static_cast<int>(end);
}

}  // namespace trebuchet
