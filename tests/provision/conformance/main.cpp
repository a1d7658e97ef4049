// Replays recorded flows of the reference's connectors and reports for which of them ours behaves the same. See
// README.md.

#include "provision/connectors/registry.hpp"
#include "tests/provision/conformance/replay.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cmath>
#include <csignal>
#include <fstream>
#include <functional>
#include <iostream>
#include <map>
#include <set>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>

namespace {

using namespace trebuchet::conformance;

struct Count {
    int equal = 0;
    int mended = 0;  ///< equal until the reference crashed
    int decided = 0;
    int different = 0;
    int skipped = 0;
};

struct Decision {
    int exit_code = 0;  ///< of our connector
    std::string reason;
};

/// Lines "name<TAB>reason<TAB>exit code".
std::map<std::string, Decision> read_decisions(const std::string& path) {
    std::map<std::string, Decision> decisions;
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        const auto first = line.find('\t');
        const auto second = line.rfind('\t');
        if (first == second) throw std::runtime_error(path + ": expected NAME<TAB>REASON<TAB>EXIT, found " + line);
        decisions[line.substr(0, first)] = {std::stoi(line.substr(second + 1)),
                                            line.substr(first + 1, second - first - 1)};
    }
    return decisions;
}

/// The row of the table: the connector type, or the feature that all types share.
std::string row_of(const Flow& flow) {
    if (flow.stage() == "firmware_update") return flow.stage();
    return flow.name.find("-hooks-") != std::string::npos ? "control_host hooks" : flow.type();
}

std::vector<std::string> flow_files(const std::string& folder) {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() == ".json") files.push_back(entry.path().string());
    }
    std::sort(files.begin(), files.end());
    return files;
}

struct Work {
    std::string name;
    Flow flow;
    Run run;
};

/// Uses eight threads, because each replay mostly waits for processes.
void in_parallel(std::size_t count, const std::function<void(std::size_t)>& work) {
    std::atomic<std::size_t> next = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&] {
            for (auto at = next++; at < count; at = next++) work(at);
        });
    }
    for (auto& thread : threads) thread.join();
}

/// Stops the flow's stage at each of its effects, by each signal. Reports what is wrong with the stop or with the next
/// run.
int sweep(const Flow& flow, const Programs& programs) {
    const auto effects = replay(flow, programs).effects.size();
    const std::array<int, 2> signals{SIGTERM, SIGKILL};
    std::vector<std::string> troubles(signals.size() * effects);
    in_parallel(troubles.size(), [&](std::size_t i) {
        const int signal = signals.at(i / effects);
        const auto run = replay(flow, programs, {signal, i % effects});
        const int expected = signal == SIGKILL ? 1000 + SIGKILL : 128 + signal;
        troubles[i] = difference(flow, run);
        // After its last effect the stage may end before the signal comes.
        const bool may_have_ended = i % effects == effects - 1 && flow.file.at("exit") == run.stopped_code;
        if (run.stopped_code != expected && !may_have_ended) {
            troubles[i] = "exit code " + std::to_string(run.stopped_code);
        }
    });
    int wrong = 0;
    for (std::size_t i = 0; i < troubles.size(); ++i) {
        if (troubles[i].empty()) continue;
        ++wrong;
        std::cout << flow.name << ": signal " << signals.at(i / effects) << " at effect " << i % effects + 1 << ": "
                  << troubles[i] << '\n';
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
    CLI::App app("Replays recorded flows of device connectors and compares them with our connectors");
    std::string recorded;
    std::string decisions_file;
    Programs programs;
    std::vector<std::string> only;
    bool is_verbose = false;
    bool is_sweep = false;
    double least = 0;
    app.add_option("--recorded", recorded, "folder of recorded flows")->required();
    app.add_option("--provision", programs.provision, "trebuchet-provision-timeless")->required();
    app.add_option("--double", programs.double_, "conformance-double, which replaces all other programs")->required();
    app.add_option("--decisions", decisions_file, "flows in which ours differs on purpose: NAME<TAB>REASON<TAB>EXIT");
    app.add_option("--only", only, "run only flows whose names begin with these");
    app.add_option("--least", least, "fail if less than this percentage of any type's flows is equal");
    app.add_flag("--sweep", is_sweep, "stop the stage at each step by SIGTERM and by SIGKILL, and run it again");
    app.add_flag("--verbose", is_verbose, "print the recorded and our effects of flows that differ");
    CLI11_PARSE(app, argc, argv);
    programs.provision = std::filesystem::absolute(programs.provision);
    programs.double_ = std::filesystem::absolute(programs.double_);

    const auto decisions = read_decisions(decisions_file);
    const auto& types = trebuchet::connector_types();
    std::map<std::string, Count> counts;
    std::set<std::string> missing_types;
    bool is_stale = false;
    int wrong = 0;
    std::vector<Work> works;
    for (const auto& file : flow_files(recorded)) {
        const auto name = std::filesystem::path(file).stem().string();
        if (!is_wanted(name, only) || name.starts_with("server-schema")) continue;
        const auto flow = read_flow(file);
        const std::string type = flow.type();
        auto& count = counts[row_of(flow)];
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
        works.push_back({name, flow, {}});
    }
    in_parallel(works.size(), [&](std::size_t i) { works[i].run = replay(works[i].flow, programs); });
    for (const auto& [name, flow, run] : works) {
        auto& count = counts[row_of(flow)];
        const auto found = difference(flow, run);
        const auto decision = decisions.find(name);
        const bool is_listed = decision != decisions.end();
        if (found.empty()) {
            ++count.equal;
            if (is_listed) {
                is_stale = true;
                std::cout << name << ": equal, but decisions.tsv lists it as different\n";
            }
            continue;
        }
        const bool has_recorded_code = flow.file.at("exit") == run.exit_code;
        const bool has_listed_code = is_listed && decision->second.exit_code == run.exit_code;
        if (is_equal_until_crash(flow, run) && (has_listed_code || has_recorded_code)) {
            ++count.mended;
            std::cout << name << ": equal until the crash" << (is_listed ? ": " + decision->second.reason : "") << '\n';
            continue;
        }
        if (has_listed_code) {
            ++count.decided;
            std::cout << name << ": different on purpose: " << decision->second.reason << '\n';
            continue;
        }
        ++count.different;
        std::cout << name << ": DIFFERENT: " << found;
        if (is_listed) std::cout << "; exit code " << run.exit_code << " is not the one in decisions.tsv";
        std::cout << '\n';
        if (is_verbose) print_effects(flow, run);
    }
    if (is_sweep) return wrong == 0 ? 0 : 1;
    for (const auto& type : missing_types) std::cout << type << ": skipped: this connector type does not exist yet\n";

    bool is_enough = true;
    std::cout << "type\tequal\tuntil a crash\ton purpose\tdifferent\tskipped\tequal of all\n";
    for (const auto& [row, count] : counts) {
        const int all = count.equal + count.mended + count.decided + count.different;
        const double share = all == 0 ? 100.0 : 100.0 * (count.equal + count.mended) / all;
        if (count.different > 0 || (share < least && row != "firmware_update")) is_enough = false;
        std::cout << row << '\t' << count.equal << '\t' << count.mended << '\t' << count.decided << '\t'
                  << count.different << '\t' << count.skipped << '\t' << std::lround(share) << " %\n";
    }
    return is_enough && !is_stale ? 0 : 1;
}
