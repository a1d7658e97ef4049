// Replays recorded flows of the reference's connectors, and says in which ones ours behaves the same. See README.md.

#include "provision/connectors/registry.hpp"
#include "tests/provision/conformance/replay.hpp"

#include <algorithm>
#include <csignal>
#include <fstream>
#include <iostream>
#include <map>
#include <set>

#include <CLI/CLI.hpp>

namespace {

using namespace trebuchet::conformance;

struct Count {
    int equal = 0;
    int decided = 0;
    int different = 0;
    int skipped = 0;
};

/// "name<TAB>reason", one a line.
std::map<std::string, std::string> read_decisions(const std::string& path) {
    std::map<std::string, std::string> decisions;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        const auto tab = line.find('\t');
        if (tab != std::string::npos) decisions[line.substr(0, tab)] = line.substr(tab + 1);
    }
    return decisions;
}

std::vector<std::string> flow_files(const std::string& folder) {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() == ".json") files.push_back(entry.path().string());
    }
    std::sort(files.begin(), files.end());
    return files;
}

/// Stops the flow's stage at each of its effects by each signal, and says what is wrong with that or with the next run.
int sweep(const Flow& flow, const Programs& programs) {
    int wrong = 0;
    const auto effects = replay(flow, programs).effects.size();
    for (const int signal : {SIGTERM, SIGKILL}) {
        for (std::size_t at = 0; at < effects; ++at) {
            const auto run = replay(flow, programs, {signal, at});
            const int expected = signal == SIGKILL ? 1000 + SIGKILL : 128 + signal;
            auto found = difference(flow, run);
            if (run.stopped_code != expected) found = "exit code " + std::to_string(run.stopped_code);
            if (found.empty()) continue;
            ++wrong;
            std::cout << flow.name << ": signal " << signal << " at effect " << at + 1 << ": " << found << '\n';
        }
    }
    std::cout << flow.name << ": stopped at " << effects << " effects by SIGTERM and SIGKILL: " << wrong << " wrong\n";
    return wrong;
}

bool is_wanted(const std::string& name, const std::vector<std::string>& prefixes) {
    return prefixes.empty() ||
           std::any_of(prefixes.begin(), prefixes.end(), [&](const auto& prefix) { return name.starts_with(prefix); });
}

void print_effects(const Flow& flow, const Run& run) {
    for (const auto& effect : flow.effects) std::cout << "    recorded: " << effect.line() << '\n';
    for (const auto& effect : run.effects) std::cout << "    ours:     " << effect.line() << '\n';
    std::cout << run.log;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Replays recorded flows of device connectors and compares what ours does");
    std::string recorded;
    std::string decisions_file;
    Programs programs;
    std::vector<std::string> only;
    bool is_verbose = false;
    bool is_sweep = false;
    double least = 0;
    app.add_option("--recorded", recorded, "folder of recorded flows")->required();
    app.add_option("--provision", programs.provision, "trebuchet-provision-timeless")->required();
    app.add_option("--double", programs.double_, "the program that stands in for all others")->required();
    app.add_option("--decisions", decisions_file, "flows in which ours differs on purpose: NAME<TAB>REASON");
    app.add_option("--only", only, "names, or how they begin");
    app.add_option("--least", least, "fails if fewer percent of the flows of any type are equal or decided");
    app.add_flag("--sweep", is_sweep, "stops the stage at each step by SIGTERM and by SIGKILL, and runs it again");
    app.add_flag("--verbose", is_verbose, "prints both sides of what differs");
    CLI11_PARSE(app, argc, argv);
    programs.provision = std::filesystem::absolute(programs.provision);
    programs.double_ = std::filesystem::absolute(programs.double_);

    const auto decisions = read_decisions(decisions_file);
    const auto& types = trebuchet::connector_types();
    std::map<std::string, Count> counts;
    std::set<std::string> missing_types;
    bool is_stale = false;
    int wrong = 0;
    for (const auto& file : flow_files(recorded)) {
        const auto name = std::filesystem::path(file).stem().string();
        if (!is_wanted(name, only) || name.starts_with("server-schema")) continue;
        const auto flow = read_flow(file);
        const std::string type = flow.file.at("type");
        auto& count = counts[type];
        if (std::find(types.begin(), types.end(), type) == types.end()) {
            ++count.skipped;
            missing_types.insert(type);
            continue;
        }
        if (!flow.skipped.empty()) {
            ++count.skipped;
            std::cout << name << ": skipped: " << flow.skipped << '\n';
            continue;
        }
        if (is_sweep) {
            wrong += sweep(flow, programs);
            continue;
        }
        const auto run = replay(flow, programs);
        const auto found = difference(flow, run);
        const auto decision = decisions.find(name);
        if (found.empty()) {
            ++count.equal;
            if (decision != decisions.end()) {
                is_stale = true;
                std::cout << name << ": equal, although the list of decisions has it\n";
            }
            continue;
        }
        const bool is_decided = decision != decisions.end();
        ++(is_decided ? count.decided : count.different);
        std::cout << name << ": " << (is_decided ? "different on purpose: " + decision->second : "DIFFERENT: " + found)
                  << '\n';
        if (is_verbose && !is_decided) print_effects(flow, run);
    }
    if (is_sweep) return wrong == 0 ? 0 : 1;
    for (const auto& type : missing_types) std::cout << type << ": skipped: there is no such type yet\n";

    bool is_enough = true;
    std::cout << "type\tequal\ton purpose\tdifferent\tskipped\n";
    for (const auto& [type, count] : counts) {
        const int all = count.equal + count.decided + count.different;
        if (all > 0 && 100.0 * (count.equal + count.decided) / all < least) is_enough = false;
        std::cout << type << '\t' << count.equal << '\t' << count.decided << '\t' << count.different << '\t'
                  << count.skipped << '\n';
    }
    return is_enough && !is_stale ? 0 : 1;
}
