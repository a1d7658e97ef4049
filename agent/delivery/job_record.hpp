#pragma once

#include "agent/job/job.hpp"
#include "agent/job/job_event.hpp"
#include "agent/job/job_state.hpp"
#include "agent/job/phase_status.hpp"
#include "common/process/process_identity.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

namespace trebuchet {

/// What is known about an accepted job and what was done for it: the sum of its journal entries.
struct JobRecord {
    struct Decision {
        PhaseStatus status;
        JobState state = JobState::complete;  ///< a final one
    };

    std::string id;  ///< "" until known
    std::chrono::system_clock::time_point taken_at;
    nlohmann::json document;       ///< the job, masked and without its secrets; null if it could not be read
    bool has_secrets = true;       ///< values of its own, or registered by a phase
    bool has_run_folder = false;   ///< it exists, or was about to be created
    std::optional<Phase> entered;  ///< the last one, whether it has a command or not
    std::optional<Phase> running;  ///< its command was started, or was about to be, and has not ended as far as known
    std::uint64_t serial_end = 0;  ///< end of the serial log's spool when that command was started
    std::vector<LeftProcesses> processes;  ///< of all commands that were started
    PhaseStatus status;
    bool cancelled = false;
    std::vector<JobEvent> events;
    bool artifacts_sent = false;
    bool is_withheld = false;            ///< its output must not leave the host
    std::vector<std::string> accessors;  ///< of logins to Vault that were made for the job
    int recoveries = 0;
    std::optional<Decision> outcome;
    bool outcome_sent = false;
    std::chrono::milliseconds age{};  ///< how long agents have tried to deliver it
};

/// An entry of a job's journal: one small JSON object, without secrets.
class JournalEntry {
  public:
    [[nodiscard]] static JournalEntry taken(const std::string& job_id, std::chrono::system_clock::time_point time);
    /// Keeps the document only in masked form.
    [[nodiscard]] static JournalEntry read(const Job& job, const MaskSet& masks);
    [[nodiscard]] static JournalEntry mask_added();
    /// The run folder is about to be created; there is nothing in its place.
    [[nodiscard]] static JournalEntry run_folder();
    [[nodiscard]] static JournalEntry entered(Phase phase);
    /// `starts`: the phase's command is about to be started. `started`: the supervisor that runs it. `serial_end`: the
    /// end of the spooled serial log.
    [[nodiscard]] static JournalEntry starts(Phase phase, const std::string& marker, std::uint64_t serial_end = 0);
    [[nodiscard]] static JournalEntry started(const ProcessIdentity& supervisor);
    [[nodiscard]] static JournalEntry ran(const PhaseStatus& status);
    [[nodiscard]] static JournalEntry cancelled();
    [[nodiscard]] static JournalEntry event(const JobEvent& event);
    [[nodiscard]] static JournalEntry artifacts_sent();
    [[nodiscard]] static JournalEntry withheld();
    /// Takes withheld() back.
    [[nodiscard]] static JournalEntry not_withheld();
    [[nodiscard]] static JournalEntry logged_in(const std::string& accessor);
    /// The logins of logged_in() are ended, or were given up.
    [[nodiscard]] static JournalEntry logged_out();
    [[nodiscard]] static JournalEntry recovers();
    [[nodiscard]] static JournalEntry decided(const PhaseStatus& status, JobState state);
    [[nodiscard]] static JournalEntry outcome_sent();
    [[nodiscard]] static JournalEntry aged(std::chrono::milliseconds age);

    [[nodiscard]] std::string text() const;

  private:
    explicit JournalEntry(nlohmann::json value) : value_(std::move(value)) {}
    nlohmann::json value_;
};

/// Adds an entry to the record. False if its text is invalid; the record is then unchanged.
[[nodiscard]] bool apply_entry(std::string_view text, JobRecord& record);

/// The job of the record, without the values of its secrets.
[[nodiscard]] Job job_of(const JobRecord& record);

}  // namespace trebuchet
