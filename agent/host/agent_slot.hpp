#pragma once

#include "agent/host/agent_tree.hpp"
#include "common/base/backoff.hpp"
#include "common/base/result.hpp"
#include "common/process/direct_child.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <sys/types.h>

namespace trebuchet {

/// The version of the program on disk: changes when the file is replaced.
using ProgramVersion = std::string;

/// Starts an agent. `ended` is called once, on the loop.
using StartAgent =
    std::function<Result<std::unique_ptr<DirectChild>>(const AgentFolder&, std::function<void(ChildEnd)> ended)>;

/// The life of one agent under `supervise`; its key is the agent_id, so no agent runs twice.
///
///     waiting ──due──▶ running ──ended──▶ waiting, with a backoff ──▶ …
///                         └──asked (SIGUSR1)──▶ ends when no job runs ──▶ started again, or forgotten if it was
///                         removed
class AgentSlot {
  public:
    using Time = std::chrono::steady_clock::time_point;

    /// An agent that ran for this long works: what happens later is a new trouble.
    static constexpr std::chrono::seconds steady_after{60};

    AgentSlot(AgentFolder folder, const std::function<double()>& draw, Time now);

    /// The tree has this configuration for it. `now`: when it is used, if it is new.
    void wants(const AgentFolder& folder, Time now);
    /// Does not start it until wants(): its configuration cannot be read, or is not there.
    void hold(const std::string& why);
    /// Its folder is gone. Starts nothing; asks the agent to end once `grace` has passed.
    void removed(Time now);

    [[nodiscard]] bool is_running() const { return child_ != nullptr; }
    [[nodiscard]] bool is_gone(Time now, std::chrono::milliseconds grace) const {
        return gone_since_ && now - *gone_since_ >= grace;
    }
    [[nodiscard]] bool is_due(Time now) const { return !is_running() && !is_held_ && !gone_since_ && now >= due_; }
    /// When there is something to do for it; nothing: when it ends, or when the tree changes.
    [[nodiscard]] std::optional<Time> next_due(std::chrono::milliseconds grace) const;
    /// It runs with another configuration than the tree has, or with another program than `version`.
    [[nodiscard]] bool is_outdated(const ProgramVersion& version) const;
    [[nodiscard]] bool is_changed() const;
    [[nodiscard]] bool is_asked() const { return asked_at_.has_value(); }
    /// In the middle of a restart: asked within the last 30 s, or started with `version` within the last 10 s.
    [[nodiscard]] bool is_in_flight(Time now, const ProgramVersion& version) const;

    void start(const StartAgent& start, const ProgramVersion& version, Time now);
    /// Has it end when no job runs.
    void ask_to_end(Time now);
    /// SIGTERM, and KILL after its longest stop; with `now_only` after 10 s, which it needs to stop without cleanup.
    void stop(Time now, bool at_once);
    void kill_if_late(Time now);
    /// True if it crashed soon after a start, with the program's `version`.
    bool ended(ChildEnd end, const ProgramVersion& version, Time now);

    [[nodiscard]] const AgentFolder& folder() const { return folder_; }
    [[nodiscard]] pid_t pid() const { return child_ ? child_->pid() : 0; }
    /// For people: why it does not run, or what is wrong although it does; "": nothing.
    [[nodiscard]] std::string problem() const { return note_.empty() && !is_running() ? trouble_ : note_; }
    /// When to kill it, if it is to stop; nothing: it has as long as it needs.
    [[nodiscard]] std::optional<Time> kill_due() const { return kill_at_; }
    /// How it ended the last time, if nobody wanted that.
    [[nodiscard]] const std::string& trouble() const { return trouble_; }
    /// What is wrong with its place in the tree; "": nothing.
    void note(std::string text) { note_ = std::move(text); }
    void on_end(std::function<void(ChildEnd)> handler) { on_end_ = std::move(handler); }

  private:
    void plan_start(ChildEnd end, Time now, bool was_asked, bool was_steady);

    AgentFolder folder_;
    AgentFolder started_with_;
    ProgramVersion version_;
    std::unique_ptr<DirectChild> child_;
    std::function<void(ChildEnd)> on_end_;
    Time due_;
    Time started_at_{};
    std::optional<Time> asked_at_;
    std::optional<Time> gone_since_;
    std::optional<Time> kill_at_;
    bool is_held_ = false;
    Backoff after_crash_;
    Backoff after_refusal_;
    std::string trouble_;
    std::string note_;
};

}  // namespace trebuchet
