#include "tests/bench/process_figures.hpp"
#include "tests/fakes/temporary_folder.hpp"
#include "tests/integration/harness/agent.hpp"
#include "tests/integration/harness/lab_server.hpp"
#include "tests/integration/harness/wait.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <functional>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <CLI/CLI.hpp>

namespace trebuchet {
namespace {

using harness::Agent;
using harness::Json;
using harness::LabServer;
using std::chrono::duration;

struct Options {
    std::string old_agent;
    std::string new_agent;
    int jobs = 21;
    int far_jobs = 7;
    int output_jobs = 5;
    int cancels = 7;
    int starts = 11;
    int idle_seconds = 60;
    int agents = 0;
};

/// How often to ask the server. Each request costs CPU time, so ask rarely enough not to disturb the measurement.
constexpr std::chrono::milliseconds asking_pause{250};
constexpr int far_milliseconds = 20;

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values.empty() ? 0 : values[values.size() / 2];
}

using Pair = std::array<std::vector<double>, 2>;  ///< of the old and the new program

void print(const char* what, const char* unit, const Pair& values) {
    const double before = median(values[0]);
    const double after = median(values[1]);
    std::printf("%-52s %9.2f %9.2f %-4s %6.2f\n", what, before, after, unit, before > 0 ? after / before : 0.0);
    std::fflush(stdout);
}

/// The number of the last request; 0 if there was none yet.
std::uint64_t last_request(harness::LabServer& server) {
    const auto all = server.requests();
    return all.empty() ? 0 : all.back().at("number").get<std::uint64_t>();
}

/// One of the two programs, with its own agents.
class Contender {
  public:
    Contender(LabServer& server, std::string name, std::filesystem::path program)
        : server_(server), name_(std::move(name)), program_(std::move(program)) {}

    /// `id` is the agent's name and its queue.
    Agent& make(const std::string& id, int polling_interval = 1) {
        ::setenv("TREBUCHET_AGENT_UNDER_TEST", program_.c_str(), 1);
        auto& agent = agents_.emplace_back(server_);
        agent.configure({{"agent_id", id}, {"job_queues", {id}}, {"polling_interval", polling_interval}});
        for (const auto* phase : {"setup", "provision", "test", "cleanup"}) {
            agent.on(phase, std::string("echo ") + phase);
        }
        return agent;
    }
    void start(const std::string& test = "echo test") {
        agents_.clear();
        auto& agent = make(name_);
        agent.on("test", test);
        agent.start();
        wait_for_polls(name_);
    }
    void stop() { agents_.clear(); }

    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] pid_t pid() { return agents_.front().program().pid(); }
    [[nodiscard]] std::string log() { return agents_.front().log(); }

    std::string post_job() {
        return server_.post_job(
            {{"job_queue", name_}, {"provision_data", {{"distro", "none"}}}, {"test_data", {{"test_cmds", "none"}}}});
    }

    /// Milliseconds from the answer of GET /v1/job to job_state complete.
    double run_job(std::vector<double>* requests = nullptr) {
        const std::uint64_t last = last_request(server_);
        const auto id = post_job();
        Json timings;
        const auto complete = [&] {
            timings = server_.control("GET", "/timings/" + id);
            return timings.contains("taken_to_complete_ms");
        };
        if (!harness::eventually(complete, harness::patience, asking_pause)) {
            throw std::runtime_error("a job does not end:\n" + log());
        }
        if (requests != nullptr) {
            requests->push_back(static_cast<double>(requests_of_job(last, timings["complete"].get<double>())));
        }
        return timings["taken_to_complete_ms"];
    }

    /// When this agent polled first after the request with this number, in seconds since 1970; 0: not yet.
    double poll_after(const std::string& id, std::uint64_t number) {
        for (const auto& request : server_.requests(number)) {
            if (request["agent"] == id && is_poll(request)) return request["time"];
        }
        return 0;
    }
    double wait_for_polls(const std::string& id, std::uint64_t after = 0) {
        double time = 0;
        if (!harness::eventually([&] { return (time = poll_after(id, after)) > 0; }, harness::patience,
                                 std::chrono::milliseconds(50))) {
            throw std::runtime_error(id + " does not poll:\n" + log());
        }
        return time;
    }
    std::deque<Agent>& agents() { return agents_; }

  private:
    static bool is_poll(const Json& request) {
        return request["target"].get_ref<const std::string&>().starts_with("/v1/job?");
    }
    /// Counts from the poll that took the job until the job was complete.
    std::size_t requests_of_job(std::uint64_t last, double complete) {
        std::size_t count = 0;
        for (const auto& request : server_.requests(last)) {
            if (request["agent"] != name_ || request["time"].get<double>() > complete) continue;
            if (is_poll(request)) count = 0;
            ++count;
        }
        return count;
    }

    LabServer& server_;
    std::string name_;
    std::filesystem::path program_;
    std::deque<Agent> agents_;
};

class Comparison {
  public:
    Comparison(LabServer& server, const Options& options)
        : server_(server),
          options_(options),
          contenders_{Contender{server, "old", options.old_agent}, Contender{server, "new", options.new_agent}} {}

    void run() {
        std::printf("%-52s %9s %9s %-4s %6s\n", "median", "old", "new", "", "ratio");
        measure_starts();
        measure_jobs();
        measure_output();
        measure_cancels();
        measure_idle();
        if (options_.agents > 0) measure_many();
    }

  private:
    /// Measures the programs alternately, so that other load on the machine affects both.
    void alternate(int times, const std::function<void(Contender&, std::size_t)>& measure) {
        for (int done = 0; done < times; ++done) {
            for (std::size_t i = 0; i < contenders_.size(); ++i) measure(contenders_.at(i), i);
        }
    }
    void start_both(const std::string& test = "echo test") {
        for (auto& contender : contenders_) contender.start(test);
    }

    void measure_starts() {
        Pair times;
        alternate(options_.starts, [&](Contender& contender, std::size_t i) {
            contender.stop();
            auto& agent = contender.make(contender.name());
            const std::uint64_t last = last_request(server_);
            const auto began = std::chrono::system_clock::now();
            agent.start();
            const auto poll = contender.wait_for_polls(contender.name(), last);
            times.at(i).push_back((poll - duration<double>(began.time_since_epoch()).count()) * 1000);
        });
        print("from the start to the first poll", "ms", times);
    }

    void measure_jobs() {
        start_both();
        Pair times;
        Pair requests;
        std::array<duration<double>, 2> used{};
        alternate(options_.jobs, [&](Contender& contender, std::size_t i) {
            const auto before = figures_of(contender.pid());
            times.at(i).push_back(contender.run_job(&requests.at(i)));
            used.at(i) += figures_of(contender.pid()).cpu_time_with_children - before.cpu_time_with_children;
        });
        print("a trivial job, from its pick-up to complete", "ms", times);
        print("  its requests until complete", "", requests);
        Pair cpu;
        for (std::size_t i = 0; i < 2; ++i) cpu.at(i) = {used.at(i).count() * 1000 / options_.jobs};
        print("  its CPU time, commands included", "ms", cpu);

        server_.add_fault({{"what", "delay"}, {"value", far_milliseconds}, {"target", "/v1/*"}, {"count", 0}});
        Pair far;
        alternate(options_.far_jobs,
                  [&](Contender& contender, std::size_t i) { far.at(i).push_back(contender.run_job()); });
        static_cast<void>(server_.control("DELETE", "/faults"));
        print("  with 20 ms per request", "ms", far);
        medians_ = {median(times[0]), median(times[1])};
    }

    void measure_output() {
        start_both("yes 'A line of a test log, of the length that such lines have: 0123456789' | head -c 1000000");
        Pair more;
        alternate(options_.output_jobs, [&](Contender& contender, std::size_t i) {
            more.at(i).push_back(contender.run_job() - medians_.at(i));
        });
        print("  more for 1 MB of output", "ms", more);
    }

    void measure_cancels() {
        start_both("sleep 1000 & sleep 1000 & echo started; wait");
        Pair times;
        alternate(options_.cancels, [&](Contender& contender, std::size_t i) {
            const auto id = contender.post_job();
            if (!server_.shows(id, "test", "started")) throw std::runtime_error("no start:\n" + contender.log());
            const std::uint64_t last = last_request(server_);
            const auto began = std::chrono::system_clock::now();
            server_.cancel(id);
            const auto poll = contender.wait_for_polls(contender.name(), last);
            times.at(i).push_back((poll - duration<double>(began.time_since_epoch()).count()) * 1000);
        });
        print("from a cancellation to the next poll", "ms", times);
    }

    void measure_idle() {
        start_both();
        print_idle("idle, polling every second: ");
    }

    void measure_many() {
        for (auto& contender : contenders_) {
            contender.stop();
            for (int number = 0; number < options_.agents; ++number) {
                contender.make(contender.name() + "-" + std::to_string(number), 10).start();
            }
        }
        for (auto& contender : contenders_) {
            for (int number = 0; number < options_.agents; ++number) {
                static_cast<void>(contender.wait_for_polls(contender.name() + "-" + std::to_string(number)));
            }
        }
        print_idle(std::to_string(options_.agents) + " agents, polling every 10 s, each: ");
    }

    /// Prints the medians over all agents.
    void print_idle(const std::string& what) {
        const auto all = [&] {
            std::array<std::vector<ProcessFigures>, 2> figures;
            for (std::size_t i = 0; i < 2; ++i) {
                for (auto& agent : contenders_.at(i).agents())
                    figures.at(i).push_back(figures_of(agent.program().pid()));
            }
            return figures;
        };
        const auto before = all();
        std::this_thread::sleep_for(std::chrono::seconds(options_.idle_seconds));  // the time being measured
        const auto after = all();
        Pair cpu, rss, pss, threads;
        for (std::size_t i = 0; i < 2; ++i) {
            for (std::size_t agent = 0; agent < after.at(i).size(); ++agent) {
                const auto& figures = after.at(i)[agent];
                const auto used = figures.cpu_time - before.at(i)[agent].cpu_time;
                cpu.at(i).push_back(used.count() * 60'000 / options_.idle_seconds);
                rss.at(i).push_back(figures.rss_megabytes);
                pss.at(i).push_back(figures.pss_megabytes.value_or(0));
                threads.at(i).push_back(figures.threads);
            }
        }
        print((what + "CPU a minute").c_str(), "ms", cpu);
        print("  RSS", "MB", rss);
        print("  PSS", "MB", pss);
        print("  threads", "", threads);
    }

    LabServer& server_;
    const Options& options_;
    std::array<Contender, 2> contenders_;
    std::array<double, 2> medians_{};
};

int run(int argc, char** argv) {
    Options options;
    CLI::App app("Runs two trebuchet-agents by turns against one labserver, over TLS on this machine; asserts nothing.",
                 "trebuchet-bench-compare");
    app.add_option("OLD", options.old_agent, "trebuchet-agent of the former release")
        ->required()
        ->check(CLI::ExistingFile);
    app.add_option("NEW", options.new_agent, "trebuchet-agent to compare with it")
        ->required()
        ->check(CLI::ExistingFile);
    app.add_option("--jobs", options.jobs, "Trivial jobs")->capture_default_str()->check(CLI::PositiveNumber);
    app.add_option("--far-jobs", options.far_jobs, "Trivial jobs with 20 ms per request")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    app.add_option("--output-jobs", options.output_jobs, "Jobs with 1 MB of output")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    app.add_option("--cancels", options.cancels, "Jobs to cancel")->capture_default_str()->check(CLI::PositiveNumber);
    app.add_option("--starts", options.starts, "Starts")->capture_default_str()->check(CLI::PositiveNumber);
    app.add_option("--idle-seconds", options.idle_seconds, "How long to watch idle agents")
        ->capture_default_str()
        ->check(CLI::PositiveNumber);
    app.add_option("--agents", options.agents, "Idle agents of each program at the same time; 0: leave this out")
        ->capture_default_str()
        ->check(CLI::NonNegativeNumber);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? 0 : 2;
    }
    const TemporaryFolder folder;
    const TestAuthority authority(folder.path(), "authority");
    LabServer server(folder / "server", authority);
    Comparison(server, options).run();
    return 0;
}

}  // namespace
}  // namespace trebuchet

int main(int argc, char** argv) {
    try {
        return trebuchet::run(argc, argv);
    } catch (const std::exception& error) {
        std::cerr << "trebuchet-bench-compare: " << error.what() << '\n';
        return 1;
    }
}
