#include "agent/cli/check_config_command.hpp"

#include "agent/cli/exit_codes.hpp"
#include "agent/cli/host_check.hpp"
#include "agent/cli/local_checks.hpp"
#include "agent/cli/secret_checks.hpp"
#include "agent/cli/server_checks.hpp"
#include "agent/config/load_config.hpp"
#include "agent/job/phase_user.hpp"
#include "common/log/log.hpp"
#include "common/mask/credential_patterns.hpp"
#include "common/mask/mask_set.hpp"

#include <algorithm>
#include <cstdlib>
#include <iomanip>
#include <iostream>
#include <string>

#include <sys/resource.h>

#include <nlohmann/json.hpp>

namespace trebuchet {
namespace {

/// Masks all kinds of well-known credentials, even those that the configuration turns off for jobs.
Result<std::shared_ptr<const MaskSet>> credential_masks() {
    MaskOptions options;
    // The set replaces the key of these masks by its own.
    auto patterns = CredentialPatterns::build({}, std::make_shared<const MaskText>(options.hash));
    if (!patterns) return fail(patterns.error());
    options.credentials = std::move(*patterns);
    return MaskSet::build({}, options);
}

std::string line_of(const EffectiveSetting& setting) {
    return setting.key + " = " + setting.value + "  (" + setting.source + ")\n";
}

int show(const EffectiveSettings& settings) {
    const auto masks = credential_masks();
    if (!masks) {
        std::cerr << "trebuchet-agent check-config: " << masks.error().message() << '\n';
        return exit_usage;
    }
    auto sorted = settings.all();
    std::stable_partition(sorted.begin(), sorted.end(),
                          [](const EffectiveSetting& setting) { return !setting.key.starts_with("trebuchet."); });
    for (const auto& setting : sorted) std::cout << (*masks)->mask(line_of(setting)).bytes();
    return 0;
}

Findings all_findings(const LoadedConfig& loaded, const CheckConfigOptions& options) {
    Findings findings{{Verdict::ok, "configuration", options.config.string() + " is fine"}};
    for (const auto& warning : loaded.warnings) {
        findings.push_back({Verdict::warning, "configuration", warning.message()});
    }
    rlimit locked{};
    ::getrlimit(RLIMIT_MEMLOCK, &locked);
    const char* path = std::getenv("PATH");
    check_folders(loaded.config, findings);
    check_locked_memory(locked.rlim_cur, findings);
    check_host(loaded.config, options.config, options.token_file, findings);
    check_programs(loaded.config, path == nullptr ? "/usr/bin:/bin" : path, findings);
    check_server(loaded.config, options.token_file, findings);
    check_secrets(loaded.config, findings);
    check_repositories(loaded.config, findings);
    return findings;
}

void print(const Findings& findings) {
    for (const auto& [verdict, check, text] : findings) {
        std::cout << std::left << std::setw(8) << name_of(verdict) << std::setw(15) << check
                  << mask_for_log(text).bytes() << '\n';
    }
}

void print_json(const Findings& findings) {
    auto list = nlohmann::json::array();
    for (const auto& [verdict, check, text] : findings) {
        list.push_back({{"verdict", name_of(verdict)}, {"check", check}, {"text", mask_for_log(text).bytes()}});
    }
    std::cout << list.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
}

int check_online(const LoadedConfig& loaded, const CheckConfigOptions& options) {
    const auto masks = credential_masks();
    if (!masks) {
        std::cerr << "trebuchet-agent check-config: " << masks.error().message() << '\n';
        return exit_usage;
    }
    set_log_masks(*masks);
    LogOptions silent;
    silent.quiet = true;
    static_cast<void>(set_up_log(silent));
    const auto findings = all_findings(loaded, options);
    options.json ? print_json(findings) : print(findings);
    const bool has_error = std::any_of(findings.begin(), findings.end(),
                                       [](const Finding& finding) { return finding.verdict == Verdict::error; });
    return has_error ? exit_not_running : 0;
}

}  // namespace

int check_config_command(const CheckConfigOptions& options) {
    const auto loaded = load_config(options.config);
    if (!loaded) {
        for (const auto& problem : loaded.error()) std::cerr << problem.message() << '\n';
        return exit_usage;
    }
    if (options.online) return check_online(*loaded, options);
    for (const auto& warning : loaded->warnings) std::cerr << "warning: " << warning.message() << '\n';
    for (const auto& weakness : host_weaknesses(loaded->config, options.config, options.token_file)) {
        std::cerr << "warning: " << weakness << '\n';
    }
    if (const auto& name = loaded->config.trebuchet.phase_user; !name.empty()) {
        if (const auto user = find_phase_user(name); !user) std::cerr << "warning: " << user.error().message() << '\n';
    }
    if (options.show) return show(loaded->settings);
    std::cout << options.config.string() << " is fine: agent " << loaded->config.agent_id << " at "
              << loaded->config.server_address << '\n';
    return 0;
}

}  // namespace trebuchet
