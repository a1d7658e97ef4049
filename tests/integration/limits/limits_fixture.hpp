#pragma once

#include "tests/integration/harness/lab_test.hpp"
#include "tests/integration/harness/process_status.hpp"

#include <cstddef>
#include <iostream>
#include <stdexcept>
#include <string>

namespace trebuchet::harness {
/// An idle agent uses 15 to 20 MB.
inline constexpr std::size_t most_memory = std::size_t{40} * 1024;  // KiB

/// A value of /proc/PID/status, in KiB.
inline std::size_t memory_of(pid_t pid, const std::string& name) {
    const auto size = process_status(pid, name);
    if (!size) throw std::runtime_error("/proc/PID/status has no " + name);
    return static_cast<std::size_t>(*size);
}

/// How much memory jobs may cost the agent.
class Limits : public LabTest {
  protected:
    Limits() { agent.set_environment("STATE_DIRECTORY", folder / "state"); }

    void expect_little_memory(const std::string& what) {
        const auto peak = memory_of(agent.program().pid(), "VmHWM");
        std::cout << what << ": " << peak << " KiB at most, " << memory_of(agent.program().pid(), "VmRSS") << " now\n";
        EXPECT_LE(peak, most_memory);
    }
    std::string run_test_phase(const std::string& command) {
        agent.on("test", command);
        server.store_secret("token", "a secret value");
        return run_job({{"test_data", {{"test_cmds", "x"}, {"secrets", {{"TOKEN", "token"}}}}}});
    }
    void upload_artifact(const std::string& size) {
        const auto id = run_test_phase("mkdir artifacts && truncate -s " + size +
                                       " artifacts/sparse && head -c 30M /dev/urandom > artifacts/noise");
        EXPECT_EQ(server.result(id)["test_status"], 0);
        const auto artifacts = server.ask(clients::submitter, "GET", "/v1/result/" + id + "/artifact");
        EXPECT_EQ(artifacts.status, 200);
        EXPECT_GT(artifacts.body.size(), std::size_t{30} << 20U);
        expect_little_memory("an artifact of " + size);
    }
};

}  // namespace trebuchet::harness
