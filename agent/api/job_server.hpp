#pragma once

#include "agent/job/phase.hpp"
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

/// What the server knows of this agent: GET /v1/agents/data/<agent_id>.
struct AgentRecord {
    std::string state;  ///< waiting, a phase, offline, maintenance, restart; "" if it was never posted
    std::string comment;
    std::string job_id{};                                           ///< that it was last said to have in hand; "": none
    std::map<std::string, std::vector<std::string>> restricted_to;  ///< queue → owners
    std::string mode;  ///< of newer servers, and theirs alone: online, maintenance, offline, restart; else ""
    std::optional<std::chrono::system_clock::time_point> updated_at;  ///< when the server last heard of it
};

/// A job whose document is longer than what is read. All that is known of it is its id, if that could be found.
struct TooLongJob {
    std::string id;
    std::size_t limit = 0;  ///< bytes
};

/// What GET /v1/job gave: the document as it arrived, values of secrets included.
using TakenJob = std::variant<WipedString, TooLongJob>;

/// Exit codes so far, by phase.
using PhaseStatus = std::map<Phase, int>;

struct JobEvent {
    std::string name;
    std::string timestamp;  ///< ISO 8601
    MaskedChunk detail;
};

enum class LogSeries { output, serial };

/// A piece of one of a job's two log series.
struct LogFragment {
    LogSeries series = LogSeries::output;
    std::uint64_t number = 0;  ///< from 0, over the whole job
    std::string timestamp;     ///< ISO 8601
    Phase phase = Phase::setup;
    MaskedChunk text;
};

/// Whether a fragment that was posted is there.
enum class Arrival {
    confirmed,
    refused,  ///< it is not: the request never got there, or was refused
    invalid,  ///< it is not, and never will be: the server does not take it
    unknown,  ///< its answer was lost, or is one that a server may give after it took it (5xx)
};

struct LogAnswer {
    Arrival arrival = Arrival::confirmed;
    std::string problem;  ///< "" if confirmed
};

/// What the server shows of one phase's log.
struct ShownLog {
    std::uint64_t length = 0;  ///< bytes of UTF-8
    std::string tail;          ///< the last of them, as many as were asked for at most
};

struct LogReadFailure {
    bool is_away = false;  ///< the server could not be asked; else it refused to say
    std::string problem;
};

/// The Testflinger v1 API as an agent uses it. Calls block, the loop running meanwhile, and are bounded in time; the
/// ones with a `done` run beside. Nothing here is sent twice, but by ApiClient after a refusal of its token.
class JobServer {
  public:
    virtual ~JobServer() = default;

    /// location, queues, provision_type and, if configured, identifier.
    virtual Result<void> register_agent() = 0;
    /// advertised_queues and advertised_images, where configured.
    virtual Result<void> advertise() = 0;
    virtual Result<void> post_agent_state(std::string_view state, std::string_view comment) = 0;
    /// "" when no job is in hand.
    virtual Result<void> post_agent_job(std::string_view job_id) = 0;
    virtual Result<AgentRecord> read_agent() = 0;

    /// Takes a job off one of these queues; nothing if there is none. Each call may take one: don't repeat it blindly.
    virtual Result<std::optional<TakenJob>> take_job(const std::vector<std::string>& queues) = 0;

    /// "" when the server does not say. Reads the start of GET /v1/result/<id> only.
    virtual Result<std::string> read_job_state(const std::string& job_id) = 0;
    virtual void read_job_state(const std::string& job_id, std::function<void(Result<std::string>)> done) = 0;

    virtual Result<void> post_job_state(const std::string& job_id, std::string_view state) = 0;
    virtual Result<void> post_status(const std::string& job_id, const PhaseStatus& status) = 0;
    virtual Result<void> post_outcome(const std::string& job_id, const PhaseStatus& status, std::string_view state) = 0;
    virtual void post_outcome(const std::string& job_id, const PhaseStatus& status, std::string_view state,
                              std::function<void(Result<void>)> done) = 0;
    virtual Result<void> post_device_info(const std::string& job_id, const MaskedJson& info) = 0;
    /// All of the job's events so far: the server keeps the last list.
    virtual Result<void> post_events(const std::string& job_id, const std::string& queue, const std::string& webhook,
                                     const std::vector<JobEvent>& events) = 0;
    virtual Result<void> post_provision_log(const std::string& job_id, int exit_code, const MaskedChunk& detail) = 0;
    /// The text is sent as valid UTF-8: what is not becomes U+FFFD, as to_valid_utf8 has it.
    virtual void post_log(const std::string& job_id, const LogFragment& fragment,
                          std::function<void(LogAnswer)> done) = 0;
    /// Reads what the server shows of the log, by a connection of its own: costly if the log is long. Not before the
    /// posts of it that are under way have ended, whoever waits for their answers.
    virtual void read_log(const std::string& job_id, LogSeries series, Phase phase, std::size_t tail_limit,
                          std::function<void(tl::expected<ShownLog, LogReadFailure>)> done) = 0;
    /// A gzip tar of masked files.
    virtual Result<void> post_artifacts(const std::string& job_id, const std::filesystem::path& archive) = 0;
    virtual void post_artifacts(const std::string& job_id, const std::filesystem::path& archive,
                                std::function<void(Result<void>)> done) = 0;
    /// Puts the job's attachments, a gzip tar from its submitter, into a new file.
    virtual Result<void> fetch_attachments(const std::string& job_id, const std::filesystem::path& file) = 0;

    /// Breaks off the fetch_attachments or post_artifacts under way, if one is. From a handler of the loop.
    virtual void abort_transfer() = 0;

    /// From now on every call fails at once, the one under way as well; but a take_job under way has a few seconds left
    /// to bring the job that the server may have given. From a handler of the loop.
    virtual void give_up() = 0;
};

}  // namespace trebuchet
