#pragma once

#include "tests/fakes/temporary_folder.hpp"
#include "tests/integration/harness/child_program.hpp"
#include "tests/integration/harness/https_client.hpp"
#include "tests/integration/harness/lab_server.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace trebuchet::harness {

inline constexpr const char* agent_id = "board-1";
inline constexpr const char* queue = "bench";

/// trebuchet-agent as a daemon for one test, with folders of its own: those for logs, runs and results on disk, the one
/// for secrets on tmpfs. Everything but `start` only says what to start.
class Agent {
  public:
    explicit Agent(LabServer& server);

    /// Further keys of testflinger-agent.conf, or others for those that it has: the server's address, the queue, the
    /// folders, a poll each second, `trebuchet.tls.ca_file`. Null takes a key away.
    void configure(const Json& keys);
    /// `<phase>_command`
    void on(const std::string& phase, const std::string& command) { configure({{phase + "_command", command}}); }
    /// One more argument of the command line.
    void add_argument(const std::string& argument) { arguments_.push_back(argument); }
    void set_environment(const std::string& name, const std::string& value) { environment_[name] = value; }
    /// From the next start on: a program whose fail points work, and which is killed at this one: "NAME" or "NAME:N",
    /// as fail_point.hpp has it; "" for none.
    void fail_at(const std::string& point);
    void write_token(const std::string& refresh_token) const;
    /// From the next start on; its folders are given to the user.
    void confine(const Confinement& where) { confinement_ = where; }

    /// Again after it ended: what the former program left running stays.
    void start();
    /// Writes the configuration without starting anything, such as for a SIGHUP.
    void write_configuration() const;
    /// Once it was started.
    [[nodiscard]] ChildProgram& program() { return *program_; }
    /// Waits until the agent has registered.
    [[nodiscard]] bool is_ready();

    /// Where a test may leave things for the phases, such as scripts.
    [[nodiscard]] const TemporaryFolder& folder() const { return folder_; }
    [[nodiscard]] std::filesystem::path runs() const { return folder_ / "run"; }
    [[nodiscard]] std::filesystem::path logs() const { return folder_ / "logs"; }
    [[nodiscard]] std::filesystem::path results() const { return folder_ / "results"; }
    [[nodiscard]] std::filesystem::path state() const { return folder_ / "state"; }
    /// What it keeps of jobs that are in hand or not delivered.
    [[nodiscard]] std::filesystem::path jobs() const { return state() / "jobs"; }
    [[nodiscard]] std::filesystem::path secrets() const { return memory_ / "runtime"; }

    /// The agent's own log: what it printed, and what it wrote to its file.
    [[nodiscard]] std::string log() const;
    /// Waits for it.
    [[nodiscard]] bool logs_text(std::string_view text) const;
    /// Files that the agent has left and that hold `text`.
    [[nodiscard]] std::vector<std::filesystem::path> files_holding(std::string_view text) const;

  private:
    LabServer& server_;
    TemporaryFolder folder_;
    TemporaryFolder memory_{"/dev/shm"};
    Json config_;
    std::filesystem::path executable_ = TREBUCHET_AGENT;
    std::vector<std::string> arguments_;
    std::map<std::string, std::string> environment_;
    Confinement confinement_;
    std::unique_ptr<ChildProgram> program_;
    std::vector<std::unique_ptr<ChildProgram>> former_;
};

}  // namespace trebuchet::harness
