#include "agent/cli/adopt_results_command.hpp"

#include "agent/cli/exit_codes.hpp"
#include "agent/delivery/adopted_results.hpp"

#include <iostream>

#include <unistd.h>

namespace trebuchet {

int adopt_results_command(const AdoptResultsOptions& options) {
    const auto ids = AdoptedResults::adopt_all(options.results);
    if (!ids) {
        std::cerr << "trebuchet-agent adopt-results: " << ids.error().message() << '\n';
        return exit_usage;
    }
    for (const auto& id : *ids) std::cout << id << '\n';
    std::cerr << "results listed for delivery: " << ids->size() << ". The running agent sends them within a minute.\n";
    if (::geteuid() != 0) {
        std::cerr
            << "warning: you are not root: the agent takes this list only if it runs as you, and its jobs as another "
               "user (trebuchet.phase_user)\n";
    }
    return 0;
}

}  // namespace trebuchet
