#include "tests/integration/limits/flapping.hpp"

#include "tests/integration/limits/limits_fixture.hpp"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

namespace trebuchet::harness {
namespace {

constexpr std::size_t most_growth = 2048;  // KiB

struct Figures {
    std::size_t memory = 0;  ///< KiB
    std::size_t descriptors = 0;
    std::size_t threads = 0;
};

Figures figures_of(pid_t pid) {
    const std::filesystem::directory_iterator descriptors("/proc/" + std::to_string(pid) + "/fd");
    return {memory_of(pid, "VmRSS"), static_cast<std::size_t>(std::distance(begin(descriptors), end(descriptors))),
            memory_of(pid, "Threads")};
}

std::ostream& operator<<(std::ostream& out, const Figures& figures) {
    return out << figures.memory << " KiB, " << figures.descriptors << " descriptors, " << figures.threads
               << " threads";
}

/// Injects every other fault of the list. None of them loses the answer that contains a job.
void flap_once(LabServer& server, std::size_t round) {
    const std::string results = "/v1/result/*";
    const std::string agents = "/v1/agents/*";
    std::size_t turn = round;
    for (const auto& fault :
         std::vector<Json>{{{"what", "lose-answer"}, {"target", agents}, {"count", 2}},
                           {{"what", "status"}, {"value", 503}, {"method", "GET"}, {"target", "/v1/job"}, {"count", 2}},
                           {{"what", "close"}, {"method", "GET"}, {"target", "/v1/job"}},
                           {{"what", "garbage"}, {"method", "GET"}, {"target", agents}},
                           {{"what", "interim"}, {"method", "GET"}, {"target", "/v1/job"}},
                           {{"what", "lose-answer"}, {"method", "POST"}, {"target", results}},
                           {{"what", "status"}, {"value", 500}, {"method", "POST"}, {"target", results}},
                           {{"what", "expired-token"}, {"target", agents}},
                           {{"what", "delay"}, {"value", 100}, {"method", "POST"}, {"target", results}},
                           {{"what", "refuse"}, {"value", 50}, {"method", "GET"}, {"target", agents}}}) {
        if (turn++ % 2 == 0) server.add_fault(fault);
    }
}

class Flapping : public LabTest {
  public:
    Flapping() {
        agent.configure({{"polling_interval", 1}});
        agent.on("test", "seq 1 20; echo to be masked: $TOKEN");
        server.store_secret("token", "a secret value");
    }

    /// Posts `what.polls` jobs: `what.jobs` with a phase, the others empty, so that the agent polls without pauses.
    void run_round(std::size_t round, const FlappingRounds& what) {
        static_cast<void>(server.control("DELETE", "/requests"));
        std::vector<std::string> whole;
        std::string last;
        for (std::size_t i = 0; i < what.polls; ++i) {
            if (whole.size() * what.polls <= i * what.jobs) {
                whole.push_back(
                    server.post_job(job({{"test_data", {{"test_cmds", "x"}, {"secrets", {{"TOKEN", "token"}}}}}})));
                last = whole.back();
            } else {
                last = server.post_job(job(Json::object()));
            }
        }
        flap_once(server, round);
        ASSERT_TRUE(in_spite_of_faults([&] { return server.job_state(last) == "complete"; }, patience * 5))
            << agent.log();
        ASSERT_TRUE(in_spite_of_faults([&] { return server.control("DELETE", "/faults").is_array(); }));
        for (const auto& id : whole) {
            ASSERT_EQ(server.job_state(id), "complete") << agent.log();
            const auto log = server.log(id, "test");
            EXPECT_EQ(log.find("\n1\n2\n3\n"), log.rfind("\n1\n2\n3\n"));
            EXPECT_THAT(log, ::testing::ContainsRegex("\n19\n20\nto be masked: [*]{2}[0-9a-f]{6}[*]{2}\n"));
        }
        EXPECT_GE(count_polls(), what.polls);
    }

    [[nodiscard]] std::size_t count_polls() {
        const auto requests = server.requests();
        return static_cast<std::size_t>(std::count_if(requests.begin(), requests.end(), [](const Json& request) {
            return request["target"].get_ref<const std::string&>().starts_with("/v1/job?");
        }));
    }

    Agent& program() { return agent; }

  private:
    void TestBody() override {}
};

}  // namespace

void flap(const FlappingRounds& what) {
    Flapping lab;
    lab.program().start();
    Figures first;
    for (std::size_t round = 0; round < what.rounds; ++round) {
        lab.run_round(round, what);
        if (::testing::Test::HasFatalFailure()) return;
        const auto now = figures_of(lab.program().program().pid());
        std::cout << "after round " << round + 1 << ": " << now << std::endl;
        if (round == what.warm_up) first = now;
        if (round + 1 < what.rounds) continue;
        EXPECT_LE(now.memory, first.memory + most_growth);
        EXPECT_LE(now.descriptors, first.descriptors + 2);
        EXPECT_LE(now.threads, first.threads);
    }
}

}  // namespace trebuchet::harness
