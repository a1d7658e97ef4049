#pragma once

#include "agent/host/agent_slot.hpp"
#include "agent/host/agent_tree.hpp"
#include "common/base/clock.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace trebuchet {

/// What `supervise` says of one agent.
struct AgentReport {
    std::string agent_id;  ///< "": a folder whose configuration cannot be read
    std::string folder;
    pid_t pid = 0;  ///< 0: it does not run
    std::string problem{};

    bool operator==(const AgentReport&) const = default;
};

/// Keeps an agent running for each folder of a tree. Decides only; whoever owns it reads the tree, waits until
/// next_due() and calls tick(). On the loop's thread.
class AgentHost {
  public:
    using Time = std::chrono::steady_clock::time_point;

    /// A folder that is missing for this long has been removed; before, it may be a git pull at work.
    static constexpr std::chrono::milliseconds default_removal_grace{30'000};

    struct Parts {
        const Clock& clock;
        StartAgent start;
        std::function<double()> draw;   ///< in [0, 1), for Backoff
        std::function<void()> changed;  ///< something is due, or the report has changed
        std::chrono::milliseconds removal_grace = default_removal_grace;
    };
    explicit AgentHost(Parts parts) : parts_(std::move(parts)) {}

    /// What the tree has now. A tree that cannot be read, or is empty while agents run, stops nobody: it is being
    /// replaced.
    void take_tree(const Result<AgentTree>& tree);
    /// The program on disk. Agents with another one are restarted when idle, a tenth of them at a time; no more once
    /// one has crashed with it at its start.
    void program_is(const ProgramVersion& version);
    /// Restarts all agents in the same way.
    void restart_all();
    /// Ends all agents; the second time, without cleanup.
    void stop();
    void tick();

    [[nodiscard]] std::optional<Time> next_due() const;
    [[nodiscard]] bool is_stopping() const { return is_stopping_; }
    /// Once it stops: no agent runs any more.
    [[nodiscard]] bool is_over() const { return is_stopping_ && running() == 0; }
    [[nodiscard]] std::size_t running() const;
    [[nodiscard]] std::vector<AgentReport> reports() const;
    /// What is wrong with the tree as a whole; "": nothing.
    [[nodiscard]] const std::string& problem() const { return problem_; }

  private:
    using Slots = std::map<std::string, std::unique_ptr<AgentSlot>>;

    void place(const AgentFolder& folder, std::map<std::string, std::string>& placed);
    void find_removed(const AgentTree& tree, const std::map<std::string, std::string>& placed);
    void find_port_clashes();
    /// The agent that had this folder under another agent_id has not ended yet: it may still use the device.
    [[nodiscard]] bool is_folder_busy(const std::string& agent_id, const AgentSlot& slot) const;
    /// Of the program that agents should run with: another one after program_is() and restart_all().
    [[nodiscard]] ProgramVersion version() const { return program_ + "/" + std::to_string(round_); }
    void add_slot(const AgentFolder& folder);
    void restart_outdated(Time now);
    void start_due(Time now);
    void forget_removed(Time now);

    Parts parts_;
    Slots slots_;
    std::map<std::string, std::string> refused_;  ///< folder → why
    std::string problem_;
    ProgramVersion program_;
    unsigned round_ = 0;  ///< of restart_all()
    ProgramVersion bad_version_;
    std::optional<Time> next_start_;
    bool is_stopping_ = false;
};

}  // namespace trebuchet
