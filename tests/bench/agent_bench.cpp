#include "tests/bench/process_figures.hpp"
#include "tests/fakes/temporary_folder.hpp"
#include "tests/integration/harness/agent.hpp"
#include "tests/integration/harness/lab_server.hpp"
#include "tests/integration/harness/wait.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <regex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

namespace trebuchet {
namespace {

using harness::Agent;
using harness::Json;
using harness::LabServer;

struct Options {
    int jobs = 21;
    int output_jobs = 5;
    std::size_t output_bytes = 1'000'000;
    int cancels = 11;
    int idle_seconds = 60;
    int flood_seconds = 10;
    int flood_secrets = 100;
};

/// How often the bench asks the server. Each request costs CPU time, so this must be rare.
constexpr std::chrono::milliseconds asking_pause{250};

struct Spread {
    double least = 0, median = 0, most = 0;
};

Spread spread_of(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return {values.front(), values[values.size() / 2], values.back()};
}

void print(const char* what, double value, const char* unit, const char* target) {
    std::printf("%-52s %9.2f %-3s  target %s\n", what, value, unit, target);
    std::fflush(stdout);
}

void set_up(Agent& agent) {
    for (const auto* phase : {"setup", "provision", "test", "cleanup"}) {
        agent.on(phase, std::string("echo ") + phase);
    }
}

void start(Agent& agent) {
    agent.start();
    if (!agent.is_ready()) throw std::runtime_error("the agent did not register in time:\n" + agent.log());
}

/// So that print_lag can ask it.
void serve_metrics(Agent& agent) {
    agent.add_argument("-p0");
    agent.configure({{"trebuchet", {{"metrics_address", "127.0.0.1"}}}});
}

/// Prints the smallest bucket bound of trebuchet_loop_lag_seconds that covers all measurements so far.
void print_lag(const Agent& agent) {
    std::smatch found;
    const auto log = agent.log();
    if (!std::regex_search(log, found, std::regex("metrics at (http://[0-9.]+:[0-9]+/metrics)\n"))) return;
    const auto metrics = harness::run({"/usr/bin/curl", {"-sS", "--noproxy", "*", found[1]}}).out;
    const std::regex bucket("trebuchet_loop_lag_seconds_bucket\\{.*le=\"([^\"]+)\".*\\} ([0-9.e+]+)");
    std::vector<std::pair<double, double>> counts;
    for (std::sregex_iterator at(metrics.begin(), metrics.end(), bucket), end; at != end; ++at) {
        counts.emplace_back(std::stod((*at)[1]), std::stod((*at)[2]));
    }
    const auto whole = std::find_if(counts.begin(), counts.end(),
                                    [&](const auto& entry) { return entry.second == counts.back().second; });
    if (whole == counts.end()) return;
    print("  lag of the agent's event loop: at most", whole->first * 1000, "ms", "<= 50");
    std::printf("%52s in %.0f looks\n", "", whole->second);
}

/// Runs `count` jobs. Returns the milliseconds from the answer of GET /v1/job to job_state complete.
Spread run_jobs(LabServer& server, const Agent& agent, int count) {
    std::vector<double> times;
    for (int done = 0; done < count; ++done) {
        const auto id = server.post_job({{"job_queue", harness::queue},
                                         {"provision_data", {{"distro", "none"}}},
                                         {"test_data", {{"test_cmds", "none"}}}});
        const auto complete = [&] { return server.job_state(id) == "complete"; };
        if (!harness::eventually(complete, harness::patience, asking_pause)) {
            throw std::runtime_error("a job did not end in time:\n" + agent.log());
        }
        times.push_back(server.control("GET", "/timings/" + id)["taken_to_complete_ms"]);
    }
    return spread_of(std::move(times));
}

enum class Disk {
    as_it_is,
    instant,  ///< fsync and fdatasync do nothing
};

void start(Agent& agent, Disk disk) {
    if (disk == Disk::instant) agent.set_environment("LD_PRELOAD", TREBUCHET_NO_SYNC);
    start(agent);
}

void measure_jobs(LabServer& server, const Options& options, Disk disk) {
    std::puts(disk == Disk::as_it_is ? "jobs, with syncs to disk:" : "jobs, without syncs to disk:");
    double trivial = 0;
    {
        Agent agent(server);
        set_up(agent);
        start(agent, disk);
        const auto times = run_jobs(server, agent, options.jobs);
        trivial = times.median;
        print("  trivial job, from its pick-up to complete: median", times.median, "ms", "<= 100");
        std::printf("%52s least %.2f, most %.2f, of %d\n", "", times.least, times.most, options.jobs);
        print("  memory after these jobs: RSS", figures_of(agent.program().pid()).rss_megabytes, "MB", "none");
    }
    Agent agent(server);
    set_up(agent);
    agent.on("test", "yes 'A line of a test log, of the length that such lines have: 0123456789' | head -c " +
                         std::to_string(options.output_bytes));
    start(agent, disk);
    const auto times = run_jobs(server, agent, options.output_jobs);
    const auto what = "  more for " + std::to_string(options.output_bytes) + " bytes of test output: median";
    print(what.c_str(), (times.median - trivial) / 1000, "s", "<= 1");
}

/// Measures the milliseconds from a cancellation to the agent's next poll, with a test phase that ends on SIGTERM.
void measure_cancels(LabServer& server, const Options& options) {
    Agent agent(server);
    set_up(agent);
    agent.on("test", "sleep 1000 & sleep 1000 & echo started; wait");
    serve_metrics(agent);
    start(agent);
    std::vector<double> times;
    for (int done = 0; done < options.cancels; ++done) {
        const auto id = server.post_job({{"job_queue", harness::queue}, {"test_data", {{"test_cmds", "none"}}}});
        if (!server.shows(id, "test", "started"))
            throw std::runtime_error("a job did not start in time:\n" + agent.log());
        const std::uint64_t last = server.requests().back()["number"];
        server.cancel(id);
        const auto next_poll = [&]() -> double {
            double cancelled_at = 0;
            for (const auto& request : server.requests(last)) {
                const std::string target = request["target"];
                if (target == "/v1/job/" + id + "/action") cancelled_at = request["time"];
                if (cancelled_at > 0 && target.rfind("/v1/job?", 0) == 0)
                    return request["time"].get<double>() - cancelled_at;
            }
            return 0;
        };
        if (!harness::eventually([&] { return next_poll() > 0; }, harness::patience, asking_pause)) {
            throw std::runtime_error("the agent did not poll again in time:\n" + agent.log());
        }
        times.push_back(next_poll() * 1000);
    }
    const auto spread = spread_of(std::move(times));
    print("from a cancellation to the next poll: median", spread.median, "ms", "<= 1000");
    std::printf("%52s least %.0f, most %.0f, of %d\n", "", spread.least, spread.most, options.cancels);
    print_lag(agent);
}

/// How much dd has copied, from the last line of its output: "123 bytes (…) copied, …".
double megabytes_in(const std::filesystem::path& note) {
    std::ifstream lines(note);
    std::string last;
    for (std::string line; std::getline(lines, line);) last = line;
    return std::stod(last) / 1e6;
}

/// A test phase that prints as fast as the agent reads, in a job with many secrets.
void measure_flood(LabServer& server, const Options& options) {
    Agent agent(server);
    set_up(agent);
    const auto copied = agent.folder() / "copied";
    agent.on("test", "timeout " + std::to_string(options.flood_seconds) +
                         " yes 'A line of a test log, of the length that such lines have: 0123456789' |"
                         " LC_ALL=C dd bs=64k iflag=fullblock 2> " +
                         copied.string());
    Json secrets = Json::object();
    for (int number = 0; number < options.flood_secrets; ++number) {
        const auto name = "flood-" + std::to_string(number);
        server.store_secret(name, "a value that nobody prints, number " + std::to_string(number));
        secrets["SECRET_" + std::to_string(number)] = name;
    }
    serve_metrics(agent);
    start(agent);
    const auto id = server.post_job(
        {{"job_queue", harness::queue}, {"test_data", {{"test_cmds", "none"}, {"secrets", std::move(secrets)}}}});
    // Does not read the result, which contains all of the output.
    const auto complete = [&] { return server.control("GET", "/timings/" + id).contains("taken_to_complete_ms"); };
    const auto patience = harness::patience + std::chrono::seconds(12 * options.flood_seconds);
    if (!harness::eventually(complete, patience, asking_pause)) {
        throw std::runtime_error("the job of the output flood did not end in time:\n" + agent.log());
    }
    std::printf("yes for %d s in a job with %d secrets, over TLS:\n", options.flood_seconds, options.flood_secrets);
    const auto megabytes = megabytes_in(copied);
    print("  masked, logged and sent", megabytes / options.flood_seconds, "MB/s", "none");
    const auto figures = figures_of(agent.program().pid());
    print("  memory at most: peak RSS", figures.peak_megabytes, "MB", "<= 40");
    print("  CPU time for each 100 MB", figures.cpu_time.count() / megabytes * 100, "s", "none");
    print_lag(agent);
}

/// The number of the agent's requests, and how many of them were polls for a job.
struct Requests {
    std::size_t all = 0;
    std::size_t polls = 0;
};

Requests requests_since(LabServer& server, std::uint64_t number) {
    Requests count;
    for (const auto& request : server.requests(number)) {
        if (request["agent"] != harness::agent_id) continue;
        ++count.all;
        if (request["target"].get<std::string>().rfind("/v1/job?", 0) == 0) ++count.polls;
    }
    return count;
}

void measure_idle(LabServer& server, const Options& options) {
    Agent agent(server);
    set_up(agent);
    agent.configure({{"advertised_queues", {{harness::queue, "boards of the bench"}}}});
    start(agent);
    const auto pid = agent.program().pid();
    const std::uint64_t last = server.requests().back()["number"];
    const auto before = figures_of(pid);
    const auto began = std::chrono::steady_clock::now();
    std::this_thread::sleep_for(std::chrono::seconds(options.idle_seconds));  // the measured time
    const std::chrono::duration<double, std::ratio<60>> minutes = std::chrono::steady_clock::now() - began;
    const auto after = figures_of(pid);
    const auto requests = requests_since(server, last);

    std::printf("idle for %d s, polling every second, over TLS:\n", options.idle_seconds);
    print("  RSS", after.rss_megabytes, "MB", "<= 20");
    if (after.pss_megabytes) print("  PSS", *after.pss_megabytes, "MB", "none");
    print("  threads", after.threads, "", "<= 6");
    print("  CPU time a minute", (after.cpu_time - before.cpu_time).count() / minutes.count(), "s", "<= 0.1");
    if (requests.polls > 0) {
        print("  requests a poll", static_cast<double>(requests.all) / static_cast<double>(requests.polls), "",
              "<= 2 (and 1 a minute to advertise queues)");
    }
}

int run(int argc, char** argv) {
    Options options;
    CLI::App app("Measures the agent against the labserver, over TLS on this machine; asserts nothing.",
                 "trebuchet-bench-agent");
    app.add_option("--jobs", options.jobs, "Trivial jobs to run")->capture_default_str()->check(CLI::PositiveNumber);
    app.add_option("--output-jobs", options.output_jobs, "Jobs with a large output to run")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    app.add_option("--output-bytes", options.output_bytes, "Bytes that the test phase of each of them prints")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    app.add_option("--cancels", options.cancels, "Jobs to cancel")->capture_default_str()->check(CLI::PositiveNumber);
    app.add_option("--idle-seconds", options.idle_seconds, "How long to measure an idle agent, in seconds")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    app.add_option("--flood-seconds", options.flood_seconds,
                   "How long a test phase prints as fast as it can, in seconds")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    const TemporaryFolder folder;
    const TestAuthority authority(folder.path(), "authority");
    LabServer server(folder / "server", authority);
    measure_jobs(server, options, Disk::as_it_is);
    measure_jobs(server, options, Disk::instant);
    measure_cancels(server, options);
    measure_idle(server, options);
    measure_flood(server, options);
    return 0;
}

}  // namespace
}  // namespace trebuchet

int main(int argc, char** argv) {
    try {
        return trebuchet::run(argc, argv);
    } catch (const std::exception& error) {
        std::cerr << "trebuchet-bench-agent: " << error.what() << '\n';
        return 1;
    }
}
