#pragma once

#include "agent/job/job_event.hpp"
#include "agent/job/job_state.hpp"
#include "agent/job/log_series.hpp"
#include "agent/job/phase_status.hpp"
#include "common/base/result.hpp"
#include "common/mask/masked_chunk.hpp"
#include "common/mask/masked_json.hpp"
#include "common/secret/secret_string.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace trebuchet {

/// The server's record of this agent: GET /v1/agents/data/<agent_id>.
struct AgentRecord {
    std::string state;  ///< waiting, a phase, offline, maintenance or restart; "" if never posted
    std::string comment;
    std::string job_id{};                                           ///< the last posted current job; "": none
    std::map<std::string, std::vector<std::string>> restricted_to;  ///< queue → owners
    std::string mode;  ///< only on newer servers: online, maintenance, offline or restart; otherwise ""
    std::optional<std::chrono::system_clock::time_point> updated_at;  ///< last update on the server
};

/// The agent's own state, for POST /v1/agents/data/<agent_id>.
struct AgentPost {
    std::string state;
    std::string comment;
    std::optional<std::string> job_id{};  ///< the running job, "": none; nullopt: unchanged
};

/// A job whose document exceeds the limit. Only its ID is known, if it could be found.
struct TooLongJob {
    std::string id;
    std::size_t limit = 0;  ///< bytes
};

/// The answer to GET /v1/job: the unchanged document, including secrets.
using TakenJob = std::variant<WipedString, TooLongJob>;

/// A piece of one of a job's two logs.
struct LogFragment {
    LogSeries series = LogSeries::output;
    std::uint64_t number = 0;  ///< from 0, over the whole job
    std::string timestamp;     ///< ISO 8601
    Phase phase = Phase::setup;
    MaskedChunk text;
};

/// Whether a posted fragment has arrived.
enum class Arrival {
    confirmed,
    refused,  ///< not arrived: the request was not sent, or was refused; a retry may help
    invalid,  ///< not arrived: the server will never accept it
    unknown,  ///< the answer was lost, or is one that may come after the server stored it (5xx)
};

struct LogAnswer {
    Arrival arrival = Arrival::confirmed;
    std::string problem;  ///< "" if confirmed
};

/// One phase's log as stored by the server.
struct ShownLog {
    std::uint64_t length = 0;  ///< bytes of UTF-8
    std::string tail;          ///< its end, at most as many bytes as requested
};

struct LogReadFailure {
    bool is_away = false;  ///< true: the server is unreachable; false: it refused to answer
    std::string problem;
};

/// The Testflinger v1 API for agents. Calls block, are bounded in time, and run the loop meanwhile; calls with a `done`
/// run in the background. There are no retries here, except that ApiClient resends after its token was refused.
class JobServer {
  public:
    virtual ~JobServer() = default;

    /// Posts location, queues, provision_type and, if configured, identifier.
    virtual Result<void> register_agent() = 0;
    /// Posts advertised_queues and advertised_images, if configured.
    virtual Result<void> advertise() = 0;
    virtual Result<void> post_agent_state(const AgentPost& post) = 0;
    virtual void post_agent_state(const AgentPost& post, std::function<void(Result<void>)> done) = 0;
    virtual Result<AgentRecord> read_agent() = 0;
    virtual void read_agent(std::function<void(Result<AgentRecord>)> done) = 0;

    /// Takes a job off one of these queues; nullopt if there is none. Do not repeat a failed call blindly: each call
    /// may take a job.
    virtual Result<std::optional<TakenJob>> take_job(const std::vector<std::string>& queues) = 0;

    /// GET /v1/result/<id>/status, or the start of GET /v1/result/<id> if the server lacks that.
    virtual Result<JobState> read_job_state(const std::string& job_id) = 0;
    virtual void read_job_state(const std::string& job_id, std::function<void(Result<JobState>)> done) = 0;
    /// False if the server reads the job's whole log to answer read_job_state(): then ask rarely.
    [[nodiscard]] virtual bool job_state_is_cheap() const = 0;

    /// Before posting a state, ask state_to_post(), unless the job cannot have been cancelled meanwhile. `status`:
    /// posted together with the state; may be null.
    virtual Result<void> post_job_state(const std::string& job_id, JobState state, const PhaseStatus* status) = 0;
    virtual Result<void> post_status(const std::string& job_id, const PhaseStatus& status) = 0;
    virtual Result<void> post_outcome(const std::string& job_id, const PhaseStatus& status, JobState state) = 0;
    virtual void post_outcome(const std::string& job_id, const PhaseStatus& status, JobState state,
                              std::function<void(Result<void>)> done) = 0;
    virtual Result<void> post_device_info(const std::string& job_id, const MaskedJson& info) = 0;
    /// `events`: all events of the job so far, because the server keeps only the last list.
    virtual Result<void> post_events(const std::string& job_id, const std::string& queue, const std::string& webhook,
                                     const std::vector<JobEvent>& events) = 0;
    virtual void post_provision_log(const std::string& job_id, int exit_code, const MaskedChunk& detail,
                                    std::function<void(Result<void>)> done) = 0;
    /// Sends the text as valid UTF-8, see to_valid_utf8().
    virtual void post_log(const std::string& job_id, const LogFragment& fragment,
                          std::function<void(LogAnswer)> done) = 0;
    /// Reads the stored log over its own connection; expensive for a long log. Waits until running posts of the log
    /// have ended.
    virtual void read_log(const std::string& job_id, LogSeries series, Phase phase, std::size_t tail_limit,
                          std::function<void(tl::expected<ShownLog, LogReadFailure>)> done) = 0;
    /// `archive`: a gzip-compressed tar of masked files.
    virtual Result<void> post_artifacts(const std::string& job_id, const std::filesystem::path& archive) = 0;
    virtual void post_artifacts(const std::string& job_id, const std::filesystem::path& archive,
                                std::function<void(Result<void>)> done) = 0;
    /// Downloads the job's attachments, a gzip-compressed tar from its submitter, into a new file.
    virtual Result<void> fetch_attachments(const std::string& job_id, const std::filesystem::path& file) = 0;

    /// Stops a running fetch_attachments or post_artifacts. Call this in a handler of the loop.
    virtual void stop_transfer() = 0;

    /// Makes running and later calls fail at once, except that a running take_job has a few seconds left, because the
    /// server may already have taken a job off its queue. Call this in a handler of the loop.
    virtual void stop_now() = 0;
};

}  // namespace trebuchet
