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

/// trebuchet-agent as a daemon for one test, with its own folders: logs, runs and results on disk, secrets on tmpfs.
/// The setters take effect at the next start().
class Agent {
  public:
    explicit Agent(LabServer& server);

    /// Adds keys to testflinger-agent.conf, or changes those that it has from the start: the server's address, the
    /// queue, the folders, a polling interval of 1 s, `trebuchet.tls.ca_file`. Null removes a key.
    void configure(const Json& keys);
    /// Sets `<phase>_command`.
    void on(const std::string& phase, const std::string& command) { configure({{phase + "_command", command}}); }
    /// Adds an argument to the command line.
    void add_argument(const std::string& argument) { arguments_.push_back(argument); }
    void set_environment(const std::string& name, const std::string& value) { environment_[name] = value; }
    /// Uses a build of the agent with fail points, which is killed at this one: "NAME" or "NAME:N" as in
    /// fail_point.hpp;
    /// "" for none.
    void fail_at(const std::string& point);
    void write_token(const std::string& refresh_token) const;
    /// Runs the agent as another user or in another cgroup. The agent's folders are given to that user.
    void confine(const Confinement& where) { confinement_ = where; }

    /// May be called again after the agent ended. Processes that the former agent left running are not killed.
    void start();
    /// Writes the configuration file, for a test that then sends SIGHUP.
    void write_configuration() const;
    /// The running program. Call start() first.
    [[nodiscard]] ChildProgram& program() { return *program_; }
    /// Waits until the agent has registered.
    [[nodiscard]] bool is_ready();

    /// A folder for the test's own files, such as scripts for the phases.
    [[nodiscard]] const TemporaryFolder& folder() const { return folder_; }
    [[nodiscard]] std::filesystem::path runs() const { return folder_ / "run"; }
    [[nodiscard]] std::filesystem::path logs() const { return folder_ / "logs"; }
    [[nodiscard]] std::filesystem::path results() const { return folder_ / "results"; }
    [[nodiscard]] std::filesystem::path state() const { return folder_ / "state"; }
    /// What the agent stores about jobs that are running or not delivered.
    [[nodiscard]] std::filesystem::path jobs() const { return state() / "jobs"; }
    [[nodiscard]] std::filesystem::path secrets() const { return memory_ / "runtime"; }

    /// The agent's own log: its output, and its log file.
    [[nodiscard]] std::string log() const;
    /// Waits until the agent's log contains `text`.
    [[nodiscard]] bool logs_text(std::string_view text) const;
    /// The agent's files that contain `text`.
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
