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

/// A host with `trebuchet-agent supervise` over a tree of configurations. Each agent serves the queue of its name. A
/// job holds its device for a moment: two agents of one device at once would be noticed.
class Host {
  public:
    explicit Host(LabServer& server);
    /// Stops it in good order, so that it removes its agents' cgroups.
    ~Host();
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;

    /// Writes the configuration of an agent: DIR/`folder`/testflinger-agent.conf.
    void write(const std::string& folder, const std::string& agent_id, const Json& more = Json::object()) const;
    /// Adds an argument to the command line of `supervise`.
    void add_argument(const std::string& argument) { arguments_.push_back(argument); }
    void set_environment(const std::string& name, const std::string& value) { environment_[name] = value; }
    /// The program to run instead of the one that was built.
    void use_program(const std::filesystem::path& program) { program_path_ = program; }
    void start();
    [[nodiscard]] ChildProgram& program() { return *program_; }
    [[nodiscard]] std::string log() const { return program_->out() + program_->err(); }
    [[nodiscard]] bool logs_text(std::string_view text) const;

    /// The row of an agent in `trebuchet-agent status`, or null.
    [[nodiscard]] Json row(const std::string& name) const;
    /// Waits until the agent has this state.
    [[nodiscard]] bool is(const std::string& agent_id, const std::string& state) const;
    [[nodiscard]] pid_t pid_of(const std::string& agent_id) const;

    /// Posts a job of about this length to the agent's queue.
    std::string post(const std::string& agent_id, const std::string& seconds = "0.2");
    /// The jobs that began, in their order; one that ran twice is there twice.
    [[nodiscard]] std::vector<std::string> begun() const;
    [[nodiscard]] std::vector<std::string> ended() const;
    /// Devices that two jobs held at once.
    [[nodiscard]] std::string clashes() const { return text_of(folder_ / "clashes"); }

    [[nodiscard]] const TemporaryFolder& folder() const { return folder_; }
    [[nodiscard]] std::filesystem::path tree() const { return folder_ / "tree"; }
    [[nodiscard]] std::filesystem::path state() const { return folder_ / "state"; }

  private:
    LabServer& server_;
    TemporaryFolder folder_;
    TemporaryFolder memory_{"/dev/shm"};
    std::filesystem::path program_path_;
    std::vector<std::string> arguments_;
    std::map<std::string, std::string> environment_;
    std::unique_ptr<ChildProgram> program_;
};

}  // namespace trebuchet::harness
