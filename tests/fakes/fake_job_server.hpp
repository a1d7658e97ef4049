#pragma once

#include "agent/api/job_server.hpp"
#include "common/event/event_loop.hpp"

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace trebuchet {

/// What happens to a log post: its answer is lost and the fragment arrives or not, or it is refused permanently.
enum class LostLog { with_fragment, without_fragment, invalid };

/// A moment as the server sees it: the `turn`-th call with this name, counted from 1.
struct Moment {
    std::string call;
    int turn = 1;
};

/// The agent introduces itself: it first reads its orders. While the server is down, each introduction ends there.
[[nodiscard]] inline Moment introduction(int turn) {
    return {"read_agent", turn};
}
/// The agent polls: it reads its orders and, if it may work, asks for a job. Assumes one introduction and no job
/// before.
[[nodiscard]] inline Moment poll(int turn) {
    return {"read_agent", 1 + turn};
}
/// The same after the first poll returned a job: the agent reads its orders `reads` times during the job, at the start
/// of each phase that follows one whose command ran, and at the job's end, which counts for the next poll, too.
[[nodiscard]] inline Moment poll_after_job(int turn, int reads) {
    return {"read_agent", 1 + 1 + reads + turn};
}
[[nodiscard]] inline Moment job_request(int turn) {
    return {"take_job", turn};
}
[[nodiscard]] inline Moment registration(int turn) {
    return {"register", turn};
}
/// The agent reads a job's state.
[[nodiscard]] inline Moment state_question(int turn) {
    return {"read_job_state", turn};
}
[[nodiscard]] inline Moment outcome_post(int turn) {
    return {"post_outcome", turn};
}

/// A server in memory for one agent. It records the effects of the calls in order, each as a list:
///
///     ["agent_state", STATE, COMMENT] ["register"] ["advertise"] ["agent_job_id", ID] ["take_job"]
///     ["result", {…}] ["event", NAME, DETAIL] ["provision_log", CODE, DETAIL] ["serial", PHASE, TEXT] ["artifact"]
///
/// A post may have two effects. Polls that find no job are not recorded. All calls are made on the test's thread.
class FakeJobServer final : public JobServer {
  public:
    explicit FakeJobServer(EventLoop& loop) : loop_(loop) {}

    /// A call fails if this returns true for its name. Called once per call. The names: "read_agent",
    /// "post_agent_state", "register", "advertise", "take_job", "read_job_state", "post_job_state",
    /// "post_status", "post_outcome", "post_device_info", "post_events", "post_provision_log", "post_log", "read_log",
    /// "post_artifacts", "fetch_attachments".
    std::function<bool(const std::string& call)> is_down = [](const std::string&) { return false; };
    bool refuses_for_good = false;  ///< posts that fail: with a final error
    /// Calls `action` at this moment, before is_down.
    void at(Moment moment, std::function<void()> action) {
        moments_.emplace_back(std::move(moment), std::move(action));
    }
    /// Whether the call of this moment was made.
    [[nodiscard]] bool is_behind(const Moment& moment) { return calls[moment.call] >= moment.turn; }
    /// Called after an effect was recorded, and with ["idle"] after a poll that found no job.
    std::function<void(const nlohmann::json& effect)> on_effect = [](const nlohmann::json&) {};

    AgentRecord agent;  ///< the agent's record, as an administrator sees and sets it
    std::deque<std::string> jobs;
    std::optional<TooLongJob> too_long_job;         ///< given out once, before `jobs`
    std::map<std::string, std::string> job_states;  ///< in the API's spelling
    /// What happens to a log post that is_down lets through, by its turn from 1. Without an entry it arrives.
    std::map<int, LostLog> lost_logs;
    bool read_log_is_away = true;  ///< why a failing "read_log" fails; true: the server is down, false: it refuses
    bool state_is_cheap = true;    ///< what job_state_is_cheap() returns
    bool hold_logs = false;        ///< log posts wait for answer_log()

    std::vector<nlohmann::json> effects;
    std::vector<LogFragment> fragments;  ///< in the order of arrival, without the refused ones
    std::vector<LogFragment> attempts;   ///< with the refused ones
    std::vector<JobEvent> events;        ///< the last list that was posted
    std::vector<std::string> polled_queues;
    std::map<std::string, int> calls;  ///< number of calls by name
    nlohmann::json device_info;
    std::string archive;      ///< the artifacts' bytes
    std::string attachments;  ///< what fetch_attachments writes to the file
    bool stopped = false;     ///< true: every call fails
    int stopped_transfers = 0;

    /// Answers the oldest held log post.
    void answer_log();
    [[nodiscard]] std::size_t held_logs() const { return held_.size(); }
    /// All output of a phase, in the order of the fragments.
    [[nodiscard]] std::string output_of(Phase phase) const;

    Result<void> register_agent() override;
    Result<void> advertise() override;
    Result<void> post_agent_state(const AgentPost& post) override;
    void post_agent_state(const AgentPost& post, std::function<void(Result<void>)> done) override;
    Result<AgentRecord> read_agent() override;
    void read_agent(std::function<void(Result<AgentRecord>)> done) override;
    Result<std::optional<TakenJob>> take_job(const std::vector<std::string>& queues) override;
    Result<JobState> read_job_state(const std::string& job_id) override;
    void read_job_state(const std::string& job_id, std::function<void(Result<JobState>)> done) override;
    [[nodiscard]] bool job_state_is_cheap() const override { return state_is_cheap; }
    Result<void> post_job_state(const std::string& job_id, JobState state, const PhaseStatus* status) override;
    Result<void> post_status(const std::string& job_id, const PhaseStatus& status) override;
    Result<void> post_outcome(const std::string& job_id, const PhaseStatus& status, JobState state) override;
    void post_outcome(const std::string& job_id, const PhaseStatus& status, JobState state,
                      std::function<void(Result<void>)> done) override;
    Result<void> post_device_info(const std::string& job_id, const MaskedJson& info) override;
    Result<void> post_events(const std::string& job_id, const std::string& queue, const std::string& webhook,
                             const std::vector<JobEvent>& all) override;
    void post_provision_log(const std::string& job_id, int exit_code, const MaskedChunk& detail,
                            std::function<void(Result<void>)> done) override;
    void post_log(const std::string& job_id, const LogFragment& fragment, std::function<void(LogAnswer)> done) override;
    void read_log(const std::string& job_id, LogSeries series, Phase phase, std::size_t tail_limit,
                  std::function<void(tl::expected<ShownLog, LogReadFailure>)> done) override;
    Result<void> post_artifacts(const std::string& job_id, const std::filesystem::path& file) override;
    void post_artifacts(const std::string& job_id, const std::filesystem::path& file,
                        std::function<void(Result<void>)> done) override;
    Result<void> fetch_attachments(const std::string& job_id, const std::filesystem::path& file) override;
    void stop_now() override { stopped = true; }
    void stop_transfer() override { ++stopped_transfers; }

  private:
    struct HeldLog {
        LogFragment fragment;
        std::function<void(LogAnswer)> done;
    };

    Result<void> take(
        const std::string& call, const nlohmann::json& effect, const std::function<void()>& change = [] {});
    Result<void> take_both(const std::string& call, const std::vector<nlohmann::json>& both,
                           const std::function<void()>& change);
    [[nodiscard]] bool fails(const std::string& call);
    void answer(const LogFragment& fragment, const std::function<void(LogAnswer)>& done);

    EventLoop& loop_;
    std::deque<HeldLog> held_;
    std::deque<std::pair<Moment, std::function<void()>>> moments_;
};

/// An agent's record with this state and comment, and nothing else.
[[nodiscard]] AgentRecord record(const std::string& state, const std::string& comment);

}  // namespace trebuchet
