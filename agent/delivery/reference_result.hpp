#pragma once

#include "agent/api/job_server.hpp"
#include "agent/config/config.hpp"
#include "agent/job/job.hpp"
#include "common/base/result.hpp"

#include <atomic>
#include <filesystem>
#include <string>

namespace trebuchet {

/// A result that the reference agent could not send, a folder in `results_basedir`:
///
///     testflinger.json           the job, with its secrets
///     testflinger-outcome.json   {"status": {phase: code}}
///     artifacts/                 not masked
///
/// Packed, the artifacts stand in a folder of ours, masked: what is in theirs, a phase may have put there.
struct ReferenceResult {
    std::filesystem::path folder;
    std::filesystem::path packed;  ///< folder of the archives

    [[nodiscard]] std::string job_id() const { return folder.filename().string(); }
    [[nodiscard]] std::filesystem::path archive() const { return packed / (job_id() + ".tar.gz"); }
    /// It may be one, or may still become one: else it is none of ours.
    [[nodiscard]] bool has_job() const;
    [[nodiscard]] bool has_outcome() const;
    [[nodiscard]] bool has_artifacts_to_pack() const;

    /// What can be understood of it; codes of phases that nobody knows are left out.
    [[nodiscard]] Result<PhaseStatus> read_status() const;
    /// Makes the archive, masked with the job's secrets as the configuration has it; an Error also if it has that none
    /// is sent. A final one, unless the disk is at fault. Takes its time; on any thread: `stop` ends it.
    [[nodiscard]] Result<void> pack_artifacts(const TrebuchetConfig& config, const std::atomic<bool>* stop) const;
    void remove_artifacts() const;
    void remove() const;
};

}  // namespace trebuchet
