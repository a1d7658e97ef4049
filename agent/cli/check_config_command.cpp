#include "agent/cli/check_config_command.hpp"

#include "agent/cli/exit_codes.hpp"
#include "agent/cli/host_check.hpp"
#include "agent/cli/online_check.hpp"
#include "agent/config/load_config.hpp"
#include "agent/job/phase_user.hpp"
#include "common/mask/credential_patterns.hpp"
#include "common/mask/mask_set.hpp"

#include <algorithm>
#include <iostream>
#include <string>

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

}  // namespace

int check_config_command(const CheckConfigOptions& options) {
    const auto loaded = load_config(options.config);
    if (!loaded) {
        for (const auto& problem : loaded.error()) std::cerr << problem.message() << '\n';
        return exit_usage;
    }
    for (const auto& warning : loaded->warnings) std::cerr << "warning: " << warning.message() << '\n';
    for (const auto& weakness : host_weaknesses(loaded->config, options.config, options.token_file)) {
        std::cerr << "warning: " << weakness << '\n';
    }
    if (const auto& name = loaded->config.trebuchet.phase_user; !name.empty()) {
        if (const auto user = find_phase_user(name); !user) std::cerr << "warning: " << user.error().message() << '\n';
    }
    if (options.online && !check_secrets_online(loaded->config, std::cout)) return exit_usage;
    if (options.show) return show(loaded->settings);
    std::cout << options.config.string() << " is fine: agent " << loaded->config.agent_id << " at "
              << loaded->config.server_address << '\n';
    return 0;
}

}  // namespace trebuchet
