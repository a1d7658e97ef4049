#include "agent/cli/check_config_command.hpp"

#include "agent/cli/exit_codes.hpp"
#include "agent/config/load_config.hpp"

#include <iostream>

namespace trebuchet {

int check_config_command(const std::filesystem::path& config) {
    const auto loaded = load_config(config);
    if (!loaded) {
        for (const auto& problem : loaded.error()) std::cerr << problem.message() << '\n';
        return exit_usage;
    }
    for (const auto& warning : loaded->warnings) std::cerr << "warning: " << warning.message() << '\n';
    std::cout << config.string() << " is fine: agent " << loaded->config.agent_id << " at "
              << loaded->config.server_address << '\n';
    return 0;
}

}  // namespace trebuchet
