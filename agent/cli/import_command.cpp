#include "agent/cli/import_command.hpp"

#include "agent/cli/exit_codes.hpp"
#include "agent/import/charm_host.hpp"
#include "agent/import/host_changes.hpp"
#include "agent/import/import_plan.hpp"
#include "agent/import/rehearsal.hpp"

#include <algorithm>
#include <iostream>

#include <unistd.h>

namespace trebuchet {
namespace {

int refuse(const Error& reason) {
    std::cerr << "trebuchet-agent import: " << reason.message() << '\n';
    return exit_usage;
}

void print_next(const std::vector<std::string>& commands) {
    std::cout << "Next, as root, when no job runs (supervisord ends the agents that it no longer finds):\n";
    for (const auto& command : commands) std::cout << "  " << command << '\n';
}

int undo(const ImportOptions& options) {
    if (::geteuid() != 0) return refuse(Error("this needs root: run it with sudo"));
    const auto done = undo_changes(options.root, options.force);
    if (!done) return refuse(done.error());
    for (const auto& line : *done) std::cout << line << '\n';
    print_next({"systemctl disable --now trebuchet-supervise", "systemctl daemon-reload", "supervisorctl update"});
    return 0;
}

/// A running agent may deliver a result that is about to be copied. False if that must not be.
bool may_write(const CharmHost& host, const ImportPlan& plan, const ImportOptions& options) {
    const auto running = running_programs(host, options.root);
    if (running.empty()) return true;
    std::string names;
    for (const auto& program : running) names += " " + program;
    std::cout << "These Python agents still run:" << names << ".\n";
    if (plan.changes.adopted.empty() || options.force) {
        std::cout << "A result that one of them cannot deliver until `supervisorctl update` stays where it is.\n";
        return true;
    }
    std::cout << "They may deliver the results that are to be copied, which would then come twice. When no job runs: "
                 "supervisorctl stop"
              << names << "\nThen repeat --write; --force does not wait for that.\nNothing is changed.\n";
    return false;
}

int write(const CharmHost& host, const ImportPlan& plan, const ImportOptions& options) {
    if (::geteuid() != 0) return refuse(Error("--write needs root: run it with sudo"));
    if (!may_write(host, plan, options)) return exit_to_mend;
    if (auto made = make_changes(plan.changes, options.root); !made) return refuse(made.error());
    std::cout << "The changes are made; `trebuchet-agent import --undo` takes them back.\n\n";
    print_next(plan.next);
    return 0;
}

int rehearse_on(const CharmHost& host, const ImportOptions& options) {
    const auto agents = rehearse(host, options.root);
    if (!agents) return refuse(agents.error());
    std::cout << shown(*agents);
    const bool differs =
        std::any_of(agents->begin(), agents->end(), [](const auto& one) { return !one.differs.empty(); });
    std::cout << (differs ? "Mend what differs, then rehearse again.\n"
                          : "A job went through the scripts of each agent, without network, devices and containers.\n");
    return differs ? exit_to_mend : 0;
}

}  // namespace

int import_command(const ImportOptions& options) {
    if (options.undo) return undo(options);
    const auto host = read_charm_host(options.root);
    if (!host) return refuse(host.error());
    if (options.rehearse) return rehearse_on(*host, options);
    const auto plan = plan_import(*host);
    std::cout << shown(plan);
    if (!plan.wrong.empty()) {
        std::cout << "Nothing is changed.\n";
        return exit_to_mend;
    }
    if (options.write) return write(*host, plan, options);
    std::cout << "Nothing is changed. To make these changes: trebuchet-agent import --write\n";
    return 0;
}

}  // namespace trebuchet
